"""The door for Python programs: a store opened for reading or a server asked over HTTP, as NumPy, Arrow and pandas."""

"""The log: what was appended and is in no block yet, safe on disk."""

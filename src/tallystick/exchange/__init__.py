"""Exchange: history in other people's files and in open formats, read into `History` and written from a store.

A format is one file here that says how it is recognised, and how it is read or written; `tallystick store import` and
`export` find it by its name.
"""

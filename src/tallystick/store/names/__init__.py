"""The names of series: a table of integer columns, the globs and tags that are asked of it, and its file."""

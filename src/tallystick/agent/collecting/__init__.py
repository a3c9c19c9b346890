"""What lets collectors look: which there are (`registry`), what is looked at (`jobs`), and on which beat (`runner`).

A collector yields points; with their names made whole and what is said of them, they go to a sink: the server's own
collector stores them, an agent delivers them.
"""

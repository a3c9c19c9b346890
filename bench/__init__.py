"""Figures, measured from the outside: real server processes, real sockets, real disks. Nothing here asserts a time.

``python -m bench`` runs everything and prints a line a figure; ``--list`` tells what there is. One file a subject; what
they share is in ``figure`` (what a figure is, and the list of benchmarks), ``server`` (a server process), ``process``
(its CPU seconds, memory and disk), ``sender`` and ``datagrams`` (processes that only send), ``client`` (a reader over
HTTP), ``fleet`` (names, values and lines) and ``prepared`` (directories of stores).
"""

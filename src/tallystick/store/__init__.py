"""The store: tallies of series in memory and on disk, safe from any crash once a ticket says so.

`contract` is what any store promises; `embedded.EmbeddedStore` is ours, `memory.MemoryStore` the plain model of it.
The way of the data inside: `log` (safe on disk), `heads` (folded in memory), `sealing` (blocks), `compaction`
(compressed, rolled up, expired), `reading` (all of it merged). The bytes on disk are described in
``docs/internals/format.md``.
"""

"""The store: tallies of series in memory and on disk, safe from any crash once a ticket says so.

`contract` is what any store promises; `embedded.EmbeddedStore` is ours, `memory.MemoryStore` the plain model of it,
`view` looks at a directory that a server may have open, and `conformance` is the suite that any store is tested with.
The way of the data inside:

- `names`: what series there are; `rules`: how each is kept.
- `log`: safe on disk; `head`: folded in memory; `loading`: history, past both.
- `blocks`: immutable files; `disk`: what touches the disk, and the manifest that names all of it.
- `upkeep`: sealing, compaction, re-shaping, forgetting, scrubbing.
- `reading`: blocks and heads, merged by `accumulator` into matrices.

The bytes on disk are described in ``docs/internals/format.md``.
"""

"""Hot loops in Numba, one subject a file, each with a plain twin in ``tests`` that reads like the definition.

A kernel takes arrays and plain numbers, allocates nothing that grows with hostile input, releases the GIL, and decides
nothing: the public function beside it checks and allocates. Compiled code is cached on disk; `compile.kernel` is the
one decorator.
"""

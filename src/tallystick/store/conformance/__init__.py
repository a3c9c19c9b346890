"""A suite of tests that any store must pass, for pytest; how to use it is told in ``docs/internals/stores.md``.

It is the only part of the package that imports pytest.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in ("basis", "names", "samples", "tallies", "merging", "promises", "history", "life", "keeping")
    )
)

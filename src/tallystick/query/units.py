"""Numbers with prefixes, as legends show them."""

_PREFIXES = {
    "si": tuple((10.0 ** (3 * power), letter) for power, letter in ((5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "k"))),
    "binary": tuple(
        (1024.0**power, f"{letter}i") for power, letter in ((5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "K"))
    ),
}


def with_unit(value: float, system: str) -> str:
    """`value` with two decimals and its prefix: ``1.50k`` in ``si``, ``1.50Ki`` in ``binary``."""
    for size, prefix in _PREFIXES[system]:
        if abs(value) >= size:
            return f"{value / size:.2f}{prefix}"
    return f"{value:.2f}"

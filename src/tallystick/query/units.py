"""Numbers with prefixes, as legends show them."""

_SECONDS = ((31_536_000.0, "Y"), (2_592_000.0, "M"), (86_400.0, "D"), (3600.0, "H"), (60.0, "m"))
_PREFIXES = {
    "si": tuple((10.0 ** (3 * power), letter) for power, letter in ((5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "k"))),
    "binary": tuple(
        (1024.0**power, f"{letter}i") for power, letter in ((5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "K"))
    ),
    "sec": _SECONDS,
    "msec": (*((1000.0 * size, letter) for size, letter in _SECONDS), (1000.0, "s")),
    "none": (),
}
SYSTEMS = tuple(_PREFIXES)
"""Names of systems of prefixes."""


def with_unit(value: float, system: str | None, unit: str = "") -> str:
    """`value` with two decimals, its prefix and its unit, before which a blank stands.

    ``1.50k`` in ``si``, ``1.50Ki`` in ``binary``, ``1.50H`` in ``sec``, ``1.50 kB`` in ``si`` with the unit ``B``.
    """
    gap = " " if unit else ""
    for size, prefix in _PREFIXES[system] if system else ():
        if abs(value) >= size:
            return f"{value / size:.2f}{gap}{prefix}{unit}"
    return f"{value:.2f}{gap}{unit}"

"""Numbers as carbon's lines, and those of others, have them."""


def number(value: float) -> str:
    """The shortest text that reads back as `value`, without the ``.0`` of whole numbers."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)

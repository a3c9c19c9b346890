"""Text of strangers, for terminals and headers."""


def printable(text: str) -> str:
    """The text on one line, with all escaped that would move or colour what stands beside it.

    Parameters
    ----------
    text
        Of whoever sends: ``a\\x1b[31m`` with a real escape becomes what is written here.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

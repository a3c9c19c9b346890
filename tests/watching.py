"""Following a reader of other programs' files."""


class Told:
    """Keeps what a reader says."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.size_bytes = 0

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def came(self, size_bytes: int) -> None:
        self.size_bytes += size_bytes

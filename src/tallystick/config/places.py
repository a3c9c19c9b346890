"""On which line of a TOML text each key stands. ``tomllib`` forgets it, and whoever mends a file wants to know."""

from tallystick.model.errors import TallystickError

KeyPath = tuple[str | int, ...]
"""How a key is reached from the top: names of keys, positions in arrays."""

_BLANK = " \t\r\n"
_CLOSERS = ",]}#\r\n"


class Places:
    """The line of each key of a valid TOML text.

    Parameters
    ----------
    text
        What ``tomllib`` has already read without an error; this is no second parser and refuses nothing.

    Notes
    -----
    One pass, proportional to the length of the text; made only when there is a problem to tell.
    """

    def __init__(self, text: str) -> None:
        self._text = text + "\n"
        self._at = 0
        self._lines: dict[KeyPath, int] = {(): 1}
        self._array_lengths: dict[KeyPath, int] = {}
        self._scan()

    def line(self, path: KeyPath) -> int | None:
        """Line of the key, or of the closest table around it that stands in the text; None if none does."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None

    def _scan(self) -> None:
        table: KeyPath = ()
        while self._skip_blank():
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        of_array = self._text.startswith("[[", self._at)
        line = self._line_here()
        self._at += 2 if of_array else 1
        *above, last = self._key()
        self._at += 2 if of_array else 1
        path: KeyPath = ()
        for part in above:
            path = self._inside((*path, part))
        path = (*path, last)
        if of_array:
            self._lines.setdefault(path, line)
            self._array_lengths[path] = self._array_lengths.get(path, 0) + 1
            path = self._inside(path)
        self._lines.setdefault(path, line)
        return path

    def _inside(self, path: KeyPath) -> KeyPath:
        """`path`, or its latest element if it is an array of tables."""
        length = self._array_lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _pair(self, table: KeyPath) -> None:
        line = self._line_here()
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _key(self) -> list[str]:
        """The parts of a dotted key; stops at what follows it."""
        parts = []
        while True:
            self._skip_blank()
            if self._text[self._at] in "\"'":
                start = self._at
                self._string()
                parts.append(self._text[start + 1 : self._at - 1])
            else:
                start = self._at
                while self._text[self._at].isalnum() or self._text[self._at] in "-_":
                    self._at += 1
                if self._at == start:
                    raise TallystickError(f"cannot find the keys of a TOML text: no key on line {self._line_here()}")
                parts.append(self._text[start : self._at])
            self._skip_blank()
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at]
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self._at += 1
            index = 0
            while self._skip_blank() and self._text[self._at] != "]":
                self._lines.setdefault((*path, index), self._line_here())
                self._value((*path, index))
                index += 1
                self._skip_comma()
            self._at += 1
        elif opening == "{":
            self._at += 1
            while self._skip_blank() and self._text[self._at] != "}":
                self._pair(path)
                self._skip_comma()
            self._at += 1
        else:
            while self._text[self._at] not in _CLOSERS:
                self._at += 1

    def _string(self) -> None:
        """Step over a string of any of the four forms."""
        quote = self._text[self._at]
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(fence)
        while not self._text.startswith(fence, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(fence)
        while len(fence) == 3 and self._text[self._at] == quote:  # quotes may stand before the fence
            self._at += 1

    def _skip_comma(self) -> None:
        self._skip_blank()
        if self._text[self._at] == ",":
            self._at += 1

    def _skip_blank(self) -> bool:
        """Step over white space and comments; whether anything follows."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                self._at = self._text.index("\n", self._at)
            elif self._text[self._at] not in _BLANK:
                return True
            else:
                self._at += 1
        return False

    def _line_here(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

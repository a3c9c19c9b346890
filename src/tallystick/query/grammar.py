r"""Graphite's target expressions: tokens, a recursive descent, and the tree that they give.

.. code-block:: text

    target     = expression                              ; and nothing after it
    expression = (template | call | path) ("|" call)*    ; a | f(b) means f(a, b)
    template   = "template" "(" (call | path) ("," literal)* ("," word "=" literal)* ")"
    call       = word "(" [argument ("," argument)*] ")"
    argument   = [word "="] (literal | expression)       ; named ones last
    literal    = number | string | "true" | "false" | "none" | "inf"
    path       = dotted parts with * ? [] {}, tags after ";", and \ before one of (){},.'"|\=

Strings run to the next quote of their kind that has no backslash before it; nothing is unescaped in them. A number or a
word such as ``true`` is one only where a comma, a bracket, a bar or the end follows; else it begins a path, as in
``5xx.count``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

from tallystick.model.errors import QueryError

TARGET_CHARS_MAX = 65_536
"""Longer targets are refused."""
DEPTH_MAX = 60
"""Deeper nested targets are refused, before Python's own stack ends; a bar nests as brackets do."""
_KEPT_CHARS_MAX = 1000
"""Targets up to this length are kept when they are read: graphs refresh."""

Scalar = int | float | str | bool | None

_BLANK = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?(?=[ \t\r\n]*(?:[,)|]|$))")
_CONSTANT = re.compile(r"(true|false|none|inf)(?=[ \t\r\n]*(?:[,)|]|$))", re.IGNORECASE)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\"[^\"]*\"|'[^']*'", re.DOTALL)
_IN_DOUBLE_QUOTES = re.compile(r"(?:[^\"\\]|\\.)*", re.DOTALL)
_PLAIN = r"[^\s(){},'\"\\|]|\\[(){},.'\"\\|=]"
_ENUM = rf"\{{(?:{_PLAIN}|,|\{{(?:{_PLAIN}|,)*\}})*\}}"
_PATH = re.compile(rf"(?:{_PLAIN}|{_ENUM})+")
_ESCAPE = re.compile(r"\\([(){},.'\"\\|=])")
_CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "none": None, "inf": float("inf")}


@dataclass(frozen=True, slots=True)
class Path:
    """A path expression as it was written."""

    text: str

    @property
    def pattern(self) -> str:
        """The glob that it stands for, without backslashes."""
        return _ESCAPE.sub(r"\1", self.text) if "\\" in self.text else self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string, true, false, None or infinity."""

    value: Scalar

    def __str__(self) -> str:
        match self.value:
            case bool() | None:
                return str(self.value)
            case str() as text:
                return f'"{text}"' if _IN_DOUBLE_QUOTES.fullmatch(text) or "'" in text else f"'{text}'"
            case number:
                return repr(number)


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is given; `source` is the text that it was read from."""

    name: str
    arguments: tuple["Node", ...] = ()
    keywords: Mapping[str, "Node"] = field(default_factory=dict)
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        named = [f"{key}={value}" for key, value in self.keywords.items()]
        return f"{self.name}({','.join([*map(str, self.arguments), *named])})"


@dataclass(frozen=True, slots=True)
class Template:
    """An expression in which ``$1`` and ``$name`` are replaced."""

    body: "Call | Path"
    arguments: tuple[Literal, ...] = ()
    keywords: Mapping[str, Literal] = field(default_factory=dict)

    def __str__(self) -> str:
        named = [f"{key}={value}" for key, value in self.keywords.items()]
        return f"template({','.join([str(self.body), *map(str, self.arguments), *named])})"


Node = Path | Literal | Call | Template


def parse(target: str) -> Node:
    """Read a target.

    Raises
    ------
    QueryError
        If it cannot be read; the text shows the place. Graphite ignores what stands after the first complete
        expression; we refuse it, because it is always a slip.

    Notes
    -----
    Some tens of microseconds for a target of a few calls; nothing for one that was read of late.
    """
    if len(target) > TARGET_CHARS_MAX:
        raise QueryError(
            f"cannot read a target of {len(target)} characters: the limit is {TARGET_CHARS_MAX}; expected a shorter one"
        )
    return _read_kept(target) if len(target) <= _KEPT_CHARS_MAX else _Reader(target).target()


@lru_cache(maxsize=1024)
def _read_kept(target: str) -> "Node":
    return _Reader(target).target()


def parse_beginning(text: str) -> Node:
    """Read the first complete expression at the beginning of a text, whatever follows: for names that calls made.

    Raises
    ------
    QueryError
        If there is none.
    """
    reader = _Reader(text)
    try:
        return reader.expression()
    except QueryError:
        # As Graphite has it: of a call that cannot be read, its name is still a path.
        return _Reader(text.split("(", 1)[0]).expression()


class _Reader:
    """Where reading has come to in one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def target(self) -> Node:
        node = self.expression()
        self.blank()
        if self.at < len(self.text):
            self.fail("expected the end of the target or a bar '|'")
        return node

    def blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        if match:
            self.at = match.end()

    def peek(self) -> str:
        self.blank()
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def expect(self, mark: str, wanted: str) -> None:
        if self.peek() != mark:
            self.fail(f"expected {wanted}")
        self.at += 1

    def fail(self, expected: str) -> NoReturn:
        found = repr(self.text[self.at : self.at + 12]) if self.at < len(self.text) else "the end"
        begin = max(0, self.at - 40)
        shown = self.text[begin : self.at + 40].translate({9: " ", 10: " ", 13: " "})
        raise QueryError(
            f"cannot read target at column {self.at + 1}: found {found}; {expected}\n"
            f"  {shown}\n  {' ' * (self.at - begin)}^^^"
        )

    def expression(self) -> Node:
        outside = self.depth
        self.deeper()
        node = self.source()
        while self.peek() == "|":
            self.deeper()
            self.at += 1
            self.blank()
            start = self.at
            word = self.take(_WORD)
            if word is None or self.peek() != "(":
                self.at = start
                self.fail("expected a function call after the bar, as in a.b|scale(2)")
            node = self.call(word[0], start, piped=(node,))
        self.depth = outside
        return node

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.fail(f"expected calls to be nested at most {DEPTH_MAX} deep")

    def source(self) -> Node:
        self.blank()
        start = self.at
        word = self.take(_WORD)
        if word and self.peek() == "(":
            return self.template() if word[0] == "template" else self.call(word[0], start)
        self.at = start
        return self.path()

    def path(self) -> Path:
        found = self.take(_PATH)
        if found is None:
            self.fail("expected a path such as web.*.cpu or a function call")
        return Path(found[0])

    def call(self, name: str, start: int, piped: tuple[Node, ...] = ()) -> Call:
        self.expect("(", "an opening bracket")
        arguments = list(piped)
        keywords: dict[str, Node] = {}
        if self.peek() == ")":
            self.at += 1
        else:
            self.arguments(arguments, keywords)
        return Call(name, tuple(arguments), keywords, self.text[start : self.at])

    def arguments(self, arguments: list[Node], keywords: dict[str, Node]) -> None:
        while True:
            key = self.keyword()
            if key is not None:
                if key in keywords:
                    self.fail(f"expected argument {key!r} only once")
                keywords[key] = self.argument()
            elif keywords:
                self.fail("expected only named arguments after a named one")
            else:
                arguments.append(self.argument())
            if self.peek() == ",":
                self.at += 1
                continue
            self.expect(")", "a comma or a closing bracket")
            return

    def keyword(self) -> str | None:
        """The word before an equals sign; a path that holds one has other characters before it."""
        self.blank()
        start = self.at
        word = self.take(_WORD)
        if word and self.peek() == "=":
            self.at += 1
            return word[0]
        self.at = start
        return None

    def argument(self) -> Node:
        literal = self.literal()
        return literal if literal is not None else self.expression()

    def literal(self) -> Literal | None:
        self.blank()
        if number := self.take(_NUMBER):
            return Literal(float(number[0]) if number[1] or number[2] else _integer(number[0]))
        if text := self.take(_STRING):
            return Literal(text[0][1:-1])
        if constant := self.take(_CONSTANT):
            return Literal(_CONSTANTS[constant[1].lower()])
        return None

    def template(self) -> Template:
        self.expect("(", "an opening bracket")
        body = self.source()
        if not isinstance(body, (Call, Path)):
            self.fail("expected a call or a path in template()")
        arguments: list[Literal] = []
        keywords: dict[str, Literal] = {}
        while self.peek() == ",":
            self.at += 1
            key = self.keyword()
            literal = self.literal()
            if literal is None:
                self.fail("expected a number or a string for template()")
            if key is None:
                arguments.append(literal)
            else:
                keywords[key] = literal
        self.expect(")", "a comma or a closing bracket")
        return Template(body, tuple(arguments), keywords)


def _integer(text: str) -> int | float:
    # Python refuses to convert very long digits; such a number is a float anyway.
    return int(text) if len(text) < 19 else float(text)

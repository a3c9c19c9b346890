"""Sections of Graphite's files of rules, ``storage-schemas.conf`` and ``storage-aggregation.conf``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(r"\[(.+)\]")


@dataclass(slots=True)
class Section:
    """A section of a file, with its pattern.

    Parameters
    ----------
    where
        File, line and name, for what is wrong with it.
    values
        Its keys in lower case.
    """

    where: str
    values: dict[str, str]

    @property
    def pattern(self) -> str:
        """The regular expression that is searched for in names.

        Raises
        ------
        ValueError
            If it is none.
        """
        pattern = self.values["pattern"]
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"{self.where}: pattern {pattern!r} is broken: {error}; expected a regular expression"
            ) from None
        return pattern


def read_sections(
    path: Path, kind: str, keys: Sequence[str], needed: Sequence[str], ignored: Sequence[str] = ()
) -> Iterator[Section]:
    """The sections of a file, in its order.

    Parameters
    ----------
    kind
        What the file is called in Graphite.
    keys, ignored
        What a section may have, in lower case; the second are passed over.
    needed
        Those of `keys` that a section must have.

    Raises
    ------
    ValueError
        If the file cannot be read or a line of it is no key; the text names file and line and what is expected.
    """
    section: Section | None = None
    for number, text in enumerate(_lines(path, kind), 1):
        line = text.strip()
        if not line or line[0] in "#;":
            continue
        head = _HEAD.fullmatch(line)
        if head:
            if section is not None:
                yield _whole(section, needed)
            section = Section(f"{path} line {number}, section [{head[1]}]", {})
            continue
        key, equals, value = line.partition("=")
        key = key.strip().lower()
        if section is None or not equals or key not in (*keys, *ignored):
            expected = f"{', '.join(keys[:-1])} or {keys[-1]}"
            raise ValueError(f"{path} line {number}: {line!r} is no key of a section; expected {expected}")
        section.values[key] = value.strip()
    if section is not None:
        yield _whole(section, needed)


def _whole(section: Section, needed: Sequence[str]) -> Section:
    missing = [key for key in needed if not section.values.get(key)]
    if missing:
        expected = " and ".join(f"{key} = ..." for key in needed)
        raise ValueError(f"{section.where} lacks {' and '.join(missing)}; expected {expected}")
    return section


def _lines(path: Path, kind: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; expected a readable {kind}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot read {path}: byte {error.start} is not UTF-8; expected text") from None

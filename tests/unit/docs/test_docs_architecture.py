"""ARCHITECTURE.md speaks of what is there, and of all of it."""

import ast
import re

import pytest
from documents import ROOT

SOURCE = ROOT / "src" / "tallystick"
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
WORDS = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
FOLDERS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """The names of all classes."""
    trees = (ast.parse(path.read_text()) for path in SOURCE.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("word", [word for word in WORDS if re.fullmatch(r"[A-Z][a-z]\w+", word)])
def test_a_class_that_is_named_is_defined(defined: set[str], word: str) -> None:
    assert word in defined


@pytest.mark.parametrize("word", [word for word in WORDS if re.fullmatch(r"\w+(/\w+)+(\.py)?", word)])
def test_a_place_that_is_named_is_there(word: str) -> None:
    assert (SOURCE / word).exists() or (SOURCE / f"{word}.py").exists() or (ROOT / word).exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_is_there_is_named(folder: str) -> None:
    assert re.search(rf"\b{folder}\b", TEXT)

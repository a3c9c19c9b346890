from pathlib import Path

import pytest

from tallystick.kernels import cache, carbon, numbers, page, words
from tallystick.kernels.compile import kernel


def source(module) -> Path:
    return Path(module.__file__)


def test_a_modules_digest_covers_what_it_imports_directly_and_indirectly():
    covered = cache._with_imports(source(carbon))
    assert {source(numbers), source(words)} <= covered
    assert source(words).parents[1] / "model" / "reason.py" in covered


def test_a_modules_digest_does_not_cover_what_it_does_not_import():
    assert source(page) not in cache._with_imports(source(carbon))


@kernel
def twice(number: int) -> int:
    return 2 * number


def test_a_compiled_kernel_is_in_the_folder_of_its_modules_digest():
    assert twice(21) == 42
    kept = Path(twice.stats.cache_path)
    assert kept == cache.folder() / f"test_cache-{cache.digest_of(Path(__file__))}"
    assert list(kept.glob("*.nbc"))


@pytest.mark.parametrize("line", ["from tallystick.model import kind", "from tallystick.model import (\n    kind,\n)"])
def test_a_module_imported_from_its_package_is_covered(tmp_path, line):
    file = tmp_path / "importing.py"
    file.write_text(f"{line}\n")
    assert [path.name for path in cache._imports(file)] == ["__init__.py", "kind.py"]

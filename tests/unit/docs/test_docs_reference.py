"""What the pages list is what there is: functions, keys, routes, commands, reasons, kinds, statistics."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from documents import DOCS, PAGES, ROOT, Block, blocks, name_of, text_of
from msgspec import inspect
from starlette.applications import Starlette
from starlette.routing import Route

from tallystick.cli.verbs import verbs
from tallystick.config import Config, parse
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.statistic import Statistic
from tallystick.parse import LINE_BYTES_MAX
from tallystick.parse.frames import FRAME_BYTES_MAX
from tallystick.query import FUNCTIONS
from tallystick.receive.streams import CONNECTIONS_MAX
from tallystick.render.format import FORMATS
from tallystick.sensors.families import COMBINATIONS_MAX, INSTRUMENTS_MAX
from tallystick.sensors.sending import BUFFER_BYTES_MAX
from tallystick.service import Service
from tallystick.web.static import page_routes
from tallystick.web.writes.bodies import BODY_BYTES_MAX

MADE = runpy.run_path(str(ROOT / "tools" / "write_reference.py"))["PAGES"]
TOML = [block for page in PAGES for block in blocks(name_of(page), "toml")]


@pytest.mark.parametrize("page", MADE)
def test_a_page_that_is_made_from_the_code_is_up_to_date(page: str) -> None:
    made = MADE[page]()
    assert (DOCS / "reference" / page).read_text(encoding="utf-8") == made, "run tools/write_reference.py"


def test_every_query_function_is_in_the_reference() -> None:
    text = text_of("docs/reference/functions.md")
    assert [name for name in FUNCTIONS if f"### {name}\n" not in text and f"`{name}`" not in text] == []


def test_the_number_of_functions_that_pages_tell_is_theirs() -> None:
    for page in ("docs/tutorial.md", "COMPATIBILITY.md"):
        assert re.search(rf"\b{len(FUNCTIONS)}\b", text_of(page)), f"{page} tells another number"


def keys_of(kind: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        yield field.encode_name
        expected = inspect.type_info(field.type)
        expected = expected.type if isinstance(expected, inspect.Metadata) else expected
        item = expected.item_type if isinstance(expected, inspect.VarTupleType) else expected
        if isinstance(item, inspect.StructType):
            yield from keys_of(item.cls)


def test_every_key_of_the_config_is_in_the_reference() -> None:
    text = text_of("docs/reference/configuration.md")
    assert [key for key in keys_of(Config) if not re.search(rf"\b{key}\b", text)] == []


@pytest.mark.parametrize("block", TOML, ids=str)
def test_a_piece_of_config_on_a_page_can_be_used(block: Block) -> None:
    parse(block.text, str(block))


@pytest.mark.parametrize("file", sorted((DOCS / "examples").glob("*.toml")), ids=lambda file: file.name)
def test_an_example_of_a_config_can_be_used(file: Path) -> None:
    parse(file.read_text(encoding="utf-8"), file.name)


def routes_of_a_server(directory: Path) -> Iterator[tuple[str, str]]:
    """Method and path of everything that is answered, but for the files of the pages."""
    text = f'http = {{ address = "127.0.0.1:0" }}\nlisteners = []\nstore = {{ directory = "{directory}" }}'
    service = Service(parse(text, "test"))
    try:
        app = service.app()
    finally:
        service.stop()
    assert isinstance(app, Starlette)
    files = {route.path for route in page_routes() if isinstance(route, Route)} - {"/"}
    for route in app.routes:
        assert isinstance(route, Route)
        path = route.path.rstrip("/") or "/"
        if route.path not in files:
            yield from ((method, path) for method in route.methods or () if method != "HEAD")


def test_every_path_that_is_answered_is_in_the_reference_and_no_other(tmp_path: Path) -> None:
    headings = re.findall(
        r"^### ((?:GET|POST)(?:, (?:POST|PUT|DELETE))*) (\S+)$", text_of("docs/reference/http.md"), re.MULTILINE
    )
    told = {(method, path) for methods, path in headings for method in methods.split(", ")}
    assert told == set(routes_of_a_server(tmp_path))


def commands(group: click.Group, name: str) -> Iterator[str]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}"


def test_every_command_is_on_some_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.is_relative_to(DOCS))
    text += text_of("README.md")
    assert [
        command for command in commands(verbs, "tallystick") if command not in text and command[11:] != "demo"
    ] == []
    assert "make demo" in text


def test_every_reason_of_a_rejection_is_explained() -> None:
    text = text_of("docs/guides/senders.md")
    assert [r.name for r in Reason if r and f"| `{r.name.lower()}` |" not in text] == []


def test_every_kind_and_every_statistic_is_explained() -> None:
    text = text_of("docs/reference/names-and-statistics.md")
    assert [kind.name for kind in Kind if f"| {kind.name.lower()} |" not in text] == []
    assert [word for word in Statistic if f"`{word}`" not in text] == []


def rows_of_compatibility(status: str) -> list[str]:
    return re.findall(rf"^\| (.*?) \| {status} \|", text_of("COMPATIBILITY.md"), re.MULTILINE)


def test_functions_and_formats_that_are_not_there_yet_are_not_there() -> None:
    missing = {word for row in rows_of_compatibility("not yet") for word in re.findall(r"`(?:format=)?(\w+)`", row)}
    assert "spoolfetch" in missing
    assert not missing & (FUNCTIONS.keys() | FORMATS.keys())
    (formats,) = (row for row in rows_of_compatibility("supported") if row.startswith("`format="))
    assert set(re.findall(r"`(?:format=)?(\w+)`", formats)) == FORMATS.keys()


def test_as_many_targets_are_compared_as_compatibility_says() -> None:
    answers = (ROOT / "tests" / "golden" / "query").glob("*.json")
    compared = [target for one in answers if one.stem != "deviations" for target in json.loads(one.read_text())]
    assert f"{len(compared):,} targets" in text_of("COMPATIBILITY.md")


def test_limits_are_those_that_pages_tell() -> None:
    store, query = Config().store, Config().query
    told = {
        "COMPATIBILITY.md": [f"{LINE_BYTES_MAX:,} bytes", f"{store.future_limit_s // 60} minutes"],
        "docs/guides/senders.md": [
            f"{LINE_BYTES_MAX:,} bytes",
            f"{FRAME_BYTES_MAX:,} bytes",
            f"{NAME_BYTES_MAX:,}",
            f"{BODY_BYTES_MAX >> 20} MiB",
            f"{store.future_limit_s // 60} minutes",
            f"{CONNECTIONS_MAX:,} connections",
            f"{Config().agent.spool_bytes_max >> 20} MiB",
        ],
        "docs/guides/from-graphite.md": [
            f"{query.series_max:,} series",
            f"{query.points_max // 10**6} million points",
            f"{query.time_s_max} seconds",
        ],
        "docs/guides/sensors.md": [
            f"{COMBINATIONS_MAX:,} combinations",
            f"{INSTRUMENTS_MAX:,} series",
            f"{BUFFER_BYTES_MAX >> 20} MiB",
        ],
        "docs/guides/agent.md": [
            f"({Config().agent.spool_bytes_max >> 20} MiB)",
            f"({Config().agent.buffer_bytes_max >> 20} MiB)",
            f"({Config().agent.spool_days_max})",
        ],
        "docs/guides/operating.md": [f"({store.commit_interval_ms} ms)"],
        "docs/reference/http.md": [f"{BODY_BYTES_MAX >> 20} MiB"],
        "docs/reference/names-and-statistics.md": [f"{NAME_BYTES_MAX:,} bytes", f"{store.series_max // 10**6} million"],
    }
    assert [(page, text) for page, texts in told.items() for text in texts if text not in text_of(page)] == []

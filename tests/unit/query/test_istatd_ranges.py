"""Ranges and patterns as istatd's unit tests have them."""

import pytest

from tallystick.query.istatd import Window, matcher, normalized


@pytest.mark.parametrize(
    ("asked", "window"),
    [
        ((1000, 2000, 0, 600), (1000, 2000, 10)),
        ((1000, 2000, 10, 0), (1000, 2000, 10)),
        ((1000, 2000, 10, 200), (1000, 2000, 10)),
        ((1005, 1995, 10, 0), (1000, 2000, 10)),
        ((1000, 2000, 10, 50), (1000, 2000, 20)),
        ((1010, 1990, 10, 50), (1000, 2000, 20)),
        ((1000, 2000, 10, 97), (1000, 2000, 20)),
        ((3600, 18000, 300, 4), (3600, 18000, 3600)),
        ((3580, 3610, 10, 1), (3570, 3630, 60)),
        ((0, 86400 * 400, 10, 100), (0, 86400 * 400, 86400)),
        ((100, 100, 10, 1), (100, 100, 0)),
        ((0, 7000, 7, 10), (0, 7000, 700)),
    ],
)
def test_a_range_becomes_whole_buckets(asked: tuple[int, int, int, int], window: tuple[int, int, int]) -> None:
    assert normalized(*asked) == Window(*window)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("foo.foo.bar", "f*oo.bar", True),
        ("foo.bar", "f*a*bar", False),
        ("foo.bar", "foo.*", True),
        ("foo", "f***oo", True),
        ("foo.bar.baz", "foo.?", False),
        ("foo.bar.baz", "foo.?.baz", True),
        ("foo.bar.baz", "foo.b?r?baz", False),
        ("foo.bar.baz", "foo.bar.baz?", True),
        ("", "?", True),
        ("?", "", False),
        ("foooo", "f?o", True),
        ("a+b", "a+b", True),
    ],
)
def test_a_pattern_matches_as_istatds_does(name: str, pattern: str, expected: bool) -> None:
    assert (matcher(pattern)(name) is not None) == expected

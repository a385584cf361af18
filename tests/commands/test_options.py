"""Options of the command line as records."""

import io
from typing import Any

import pytest

from abcx.commands.options import CONTROL, VARIANT, DataOptions, data_options, memory_size, wants_color
from abcx.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_files() -> None:
    assert data_options(None, None, None, None, None, None) == DataOptions()


def test_files_of_all_kinds() -> None:
    assert data_options(["e.csv", "-"], ["x.csv"], ["u.csv"], None, None, None) == DataOptions(
        events=("e.csv", "-"), exposures=("x.csv",), units=("u.csv",)
    )


def test_a_file_per_arm() -> None:
    assert data_options(None, None, None, "c.csv", "v.csv", None).arms == ((CONTROL, "c.csv"), (VARIANT, "v.csv"))
    named = data_options(None, None, None, None, None, ["control=c.csv", "b=dir=1/v.csv"])
    assert named.arms == (("control", "c.csv"), ("b", "dir=1/v.csv"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((None, None, None, "c.csv", None, None), "--control needs --variant"),
        ((None, None, None, "c.csv", "v.csv", ["a=x.csv"]), "--arm cannot be combined"),
        ((["e.csv"], None, None, "c.csv", "v.csv", None), "--events cannot be combined"),
        ((None, None, None, "-", "-", None), "named twice"),
        ((None, None, None, None, None, ["=x.csv"]), "--arm cannot be '=x.csv'"),
        ((None, None, None, None, None, ["a="]), "--arm cannot be 'a='"),
    ],
)
def test_contradictions(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        data_options(*arguments)


def test_color(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    terminal, pipe = Terminal(), io.StringIO()
    assert wants_color("auto", terminal) and not wants_color("auto", pipe)
    assert wants_color("always", pipe) and not wants_color("never", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color("auto", terminal) and wants_color("always", terminal)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_color("auto", terminal)


@pytest.mark.parametrize("size", ["2GB", "500mb", "1.5 GiB", None])
def test_memory_sizes(size: str | None) -> None:
    assert memory_size(size) == size


@pytest.mark.parametrize("size", ["2", "GB", "-2GB", "2 G", "2GB; DROP"])
def test_memory_sizes_that_are_none(size: str) -> None:
    with pytest.raises(UsageError):
        memory_size(size)

"""Where a verb writes is checked before it does anything, and no file is lost by a slip."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mobilebench.cli import app
from mobilebench.cli.grammar import Panel
from mobilebench.store import RecordStore
from tests.conftest import Ran
from tests.records import measured

Program = Callable[..., Ran]
_OUTPUTS = {
    "bench": ("--out", "--junit", "--markdown"),
    "bundle": ("--out",),
    "check": ("--junit", "--markdown"),
    "conformance": ("--tasks",),
    "demo": ("--out",),
    "eval": ("--out", "--per-class"),
    "export": ("--out",),
    "gate": ("--junit", "--markdown", "--artifacts", "--out"),
    "leaderboard": ("--out", "--bibtex"),
    "records": ("--out",),
    "reproduce": ("--out",),
    "simulate": ("--timeline",),
    "tool": ("--out",),
}
_NEEDED = {
    "bench": ("nowhere", "--ab"),
    "check": ("--baseline", "nowhere", "--candidate", "nowhere"),
    "eval": ("nowhere", "--data", "nowhere"),
    "export": ("mobilevig_ti", "-f", "onnx"),
    "gate": ("--export", "mobilevig_ti"),
    "reproduce": ("nowhere",),
    "simulate": ("--phone", "steady"),
    "tool": ("nowhere", "nowhere.tflite", "--device", "adb:nowhere"),
}
"""What each verb needs beside its outputs; it comes to nothing when the outputs are refused."""
_FOLDERS = {
    ("demo", "--out"),
    ("export", "--out"),
    ("gate", "--artifacts"),
    ("reproduce", "--out"),
    ("tool", "--out"),
}


_EITHER = {("leaderboard", "--out")}
"""A file, but a folder where the form is a site."""


def _paths() -> Iterator[tuple[str, Any]]:
    """Yield every option of every verb that names a place for output."""
    for verb, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        for parameter in getattr(command, "params", ()):
            path = parameter.type_descriptor.annotation is Path
            if path and getattr(parameter, "rich_help_panel", None) == Panel.OUTPUT:
                yield verb, parameter


def test_every_option_for_output_says_whether_it_is_a_file_or_a_folder() -> None:
    options: dict[str, set[str]] = {}
    for verb, parameter in _paths():
        options.setdefault(verb, set()).add(parameter.opts[0])
        name = (verb, parameter.opts[0])
        word = "PATH" if name in _EITHER else "FOLDER" if name in _FOLDERS else "FILE"
        assert parameter.metavar == word, (verb, parameter.opts)
    assert options == {verb: set(names) for verb, names in _OUTPUTS.items()}


@pytest.mark.parametrize(
    ("verb", "option"), [(verb, option) for verb in _OUTPUTS for option in _OUTPUTS[verb]]
)
def test_an_output_that_cannot_be_written_is_refused_at_the_start(
    mobilebench: Program, tmp_path: Path, verb: str, option: str
) -> None:
    (tmp_path / "taken").write_text("")
    (tmp_path / "folder").mkdir()
    wrong = (
        ("taken", "a file, not a folder")
        if (verb, option) in _FOLDERS
        else ("folder", "is a folder")
    )
    done = mobilebench(verb, *_NEEDED.get(verb, ()), option, wrong[0])
    assert done.code == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and wrong[1] in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "taken"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("eval", "x", "--data", "y", "--out", "a", "--per-class", "./a"), "--out a and --per-cla"),
        (("eval", "x", "--data", "y", "--out", "a", "--per-class", "a/b"), "--out a and --per-cla"),
        (("eval", "x", "--data", "y", "--out", "a", "--per-class", "link"), "--out a and --per-c"),
        (("gate", "--export", "m", "--junit", "a", "--markdown", "a"), "--junit a and --markdown"),
        (("gate", "--export", "m", "--artifacts", "a", "--out", "a"), "--artifacts a and --out a"),
        (("bench", "x", "--ab", "--out", "a", "--junit", "a"), "--junit a and --out a"),
        (
            ("check", "--baseline", "x", "--candidate", "y", "--junit", "a", "--markdown", "a"),
            "--junit a and --markdown a",
        ),
    ],
)
def test_two_outputs_need_two_places(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "link").symlink_to("a")
    done = mobilebench(*arguments)
    assert done.code == 2 and sentence in done.stderr and "cannot both be written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("leaderboard", "--out", "records.sqlite"), "the default of --store"),
        (("leaderboard", "--out", "file", "--store", "file"), "--store"),
        (("leaderboard", "--out", "file", "--store", "sqlite:///file"), "--store"),
        (("bench", "file", "--out", "./file"), "ARTIFACT..."),
        (("check", "--baseline", "file", "--candidate", "x", "--junit", "file"), "--baseline"),
        (("check", "--baseline", "x", "--candidate", "file", "--markdown", "file"), "--candidate"),
        (("eval", "x", "--data", "y", "--classes", "file", "--out", "file"), "--classes"),
    ],
)
def test_an_output_does_not_replace_what_the_verb_reads(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    (tmp_path / "file").write_text("kept")
    done = mobilebench(*arguments)
    assert done.code == 2 and f"would replace what {name} names" in done.stderr, done.stderr
    assert (tmp_path / "file").read_text() == "kept"


def test_two_outputs_may_go_to_one_pipe(mobilebench: Program, tmp_path: Path) -> None:
    # A link: root could replace /dev/stdout itself.
    (tmp_path / "out").symlink_to("/dev/stdout")
    done = mobilebench(
        *("check", "--baseline", "gone", "--candidate", "gone"),
        *("--junit", "out", "--markdown", "out"),
    )
    assert done.code == 2 and done.stdout.startswith("<?xml") and "**" in done.stdout
    assert [path.name for path in tmp_path.iterdir() if path.is_symlink()] == ["out"]


def test_a_leaderboard_goes_through_a_link_and_into_a_pipe(
    mobilebench: Program, tmp_path: Path
) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured())
    (tmp_path / "site").mkdir()
    (tmp_path / "link.json").symlink_to("site/page.json")
    assert mobilebench("leaderboard", "--as", "json", "--out", "link.json").code == 0
    assert (tmp_path / "link.json").is_symlink()
    page = (tmp_path / "site" / "page.json").read_text()
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        done = mobilebench("leaderboard", "--as", "json", "--out", "pipe")
        piped, _ = reader.communicate(timeout=30)
    assert done.code == 0, done.stderr
    assert json.loads(piped) == json.loads(page) and (tmp_path / "pipe").is_fifo()

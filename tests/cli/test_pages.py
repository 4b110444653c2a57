"""Pages, charts and sites from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.store import RecordStore
from tests.conftest import Ran
from tests.pages.examples import made

Program = Callable[..., Ran]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with RecordStore(tmp_path / "records.sqlite") as stored:
        stored.add_all([made("alpha", level_ms=10), made("beta", level_ms=20)])
    return tmp_path


def test_a_site_is_written_again_and_over_nothing_else(mobilebench: Program, store: Path) -> None:
    for _ in range(2):
        done = mobilebench("leaderboard", "--as", "site", "--out", "site")
        assert done.code == 0 and "open site/index.html" in done.stderr, done.stderr
    (store / "site" / ".mobilebench-site.json").unlink()
    done = mobilebench("leaderboard", "--as", "site", "--out", "site")
    assert done.code == 2 and "the folder holds other files" in done.stderr
    done = mobilebench("leaderboard", "--as", "site")
    assert done.code == 2 and "A site is a folder; name it with --out." in done.stderr


def test_a_page_and_a_chart_are_about_what_was_named(mobilebench: Program, store: Path) -> None:
    words = ("leaderboard", "--as", "html", "--page", "compare", "--of", "alpha,beta")
    assert "alpha is 2.00 times as fast" in mobilebench(*words).stdout
    words = ("leaderboard", "--as", "svg", "--chart", "compare", "--of", "alpha,beta")
    assert mobilebench(*words).stdout.startswith("<svg")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--as", "csv", "--page", "record"), "--page is about --as html"),
        (("--as", "csv", "--chart", "latency"), "--chart is about pictures"),
        (("--as", "html", "--of", "x"), "--of is about one record"),
        (("--as", "svg", "--chart", "latency", "--x", "params"), "--x is about --chart pareto"),
        (("--as", "html", "--page", "city"), "There is no page called 'city'"),
    ],
)
def test_an_option_without_a_use_is_refused(
    mobilebench: Program, store: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = mobilebench("leaderboard", *words)
    assert done.code == 2 and sentence in " ".join(done.stderr.split()), done.stderr

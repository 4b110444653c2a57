"""A store of the example laboratory, its site, and a browser, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobilebench.leaderboard.view import View
from mobilebench.pages import site
from mobilebench.pages.stored import StoredPages
from mobilebench.store import RecordStore
from mobilebench.values.reported import Latency, Reported
from tests.pages.browser import launched, serving
from tests.pages.examples import example

OTHERS = Reported(
    report_id="r1", source="a published table", file="table.csv", model="theirs",
    device="Their phone", latency=Latency(mean_ns=7_000_000), top1=71.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredPages]:
    with RecordStore(tmp_path_factory.mktemp("lab") / "lab.sqlite") as store:
        store.add_all(example(), reported=[OTHERS])
        yield StoredPages(store)


@pytest.fixture(scope="module")
def folder(source: StoredPages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("published") / "site"
    site.write(place, site.Board(tuple(source.rows(View())), tuple(source.reported())), source)
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture(scope="module")
def address(source: StoredPages) -> Iterator[str]:
    with serving(source) as place:
        yield place

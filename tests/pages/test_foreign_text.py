"""Names and messages of others are text on every page, in every chart and in every address."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import replace
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mobilebench.leaderboard.view import View
from mobilebench.pages import site
from mobilebench.pages.board import as_page
from mobilebench.pages.stored import StoredPages
from mobilebench.store import RecordStore
from mobilebench.values.device import DeviceState
from mobilebench.values.measurement import Failure, Measurement, Stage
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.pages.examples import hot, made

NASTY = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'>"
    "=HYPERLINK(1)&amp;{{ 7*7 }}${x}\u202e\x1b[31m-->"
)
_KEPT = {"created", "record_id", "kind", "algorithm", "sha256", "key"}
"""Fields that cannot hold any text: ids and times have one form, hashes are compared."""


def _infected(part: Any) -> Any:
    """Return a value whose every free text is the nasty one, behind what it was."""
    if isinstance(part, Enum):
        return part
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        changed = {}
        for field in dataclasses.fields(part):
            if field.name in _KEPT or not field.init:
                continue
            content = getattr(part, field.name)
            if isinstance(content, str) and not isinstance(content, Enum):
                changed[field.name] = f"{content}{NASTY}"
            elif dataclasses.is_dataclass(content) and not isinstance(content, type):
                changed[field.name] = _infected(content)
        return replace(part, **changed)
    return part


def _nasty() -> list[Record]:
    plain = [made("mobilevig_ti", level_ms=10), hot("rapidnet_ti", level_ms=12, slower=0.5)]
    records = []
    for record in plain:
        outcome = record.outcome
        assert isinstance(outcome, Measurement) and record.artifact and record.job
        assert record.model.weights
        nasty_states = tuple(
            replace(state, temperatures_c={NASTY: 30.0 + number % 7})
            for number, state in enumerate(outcome.states)
        )
        records.append(
            replace(
                record,
                model=replace(
                    record.model,
                    name=record.model.name + NASTY,
                    published=tuple(map(_infected, record.model.published)),
                    weights=replace(record.model.weights, key=NASTY),
                ),
                recipe=replace(record.recipe, target=NASTY),
                artifact=replace(record.artifact, tool_versions={NASTY: NASTY}, unverified=NASTY),
                device=_infected(record.device),
                job=replace(record.job, runtime=NASTY),
                outcome=replace(
                    outcome,
                    runtime=replace(outcome.runtime, name=NASTY, settings={NASTY: NASTY}),
                    states=nasty_states,
                    events=tuple(replace(event, note=NASTY) for event in outcome.events),
                ),
                provenance=_infected(record.provenance),
            )
        )
    failure = Failure(
        stage=Stage.RUN, error=NASTY, message=NASTY, log_tail=f"{NASTY}\n{NASTY}", advice=NASTY
    )
    return [*records, replace(records[0], record_id="f" * 32, outcome=failure)]


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page, and its blocks of data."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.blocks: list[str] = []
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._in_data = tag == "script" and ("type", "application/json") in attrs
        for name, value in attrs:
            if name in ("href", "src", "action"):
                assert value is not None
                assert not re.match(r"\s*(javascript|vbscript):", value, re.IGNORECASE)

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.blocks.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False


def _read(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    assert "\x1b" not in page and "\u202e" not in page
    assert "{{ 7*7 }}" in page or "49" not in page
    for block in tags.blocks:
        json.loads(block)
    return tags


def _site(records: list[Record], place: Path) -> dict[str, _Tags]:
    reported = Reported(
        report_id="r", source=NASTY, file="f", model=NASTY, device=NASTY, remarks=(NASTY,),
        latency=Latency(mean_ns=1e6),
    )  # fmt: skip
    with RecordStore(place / "lab.sqlite") as store:
        store.add_all(records, reported=[reported])
        source = StoredPages(store)
        rows = tuple(source.rows(View()))
        shown = site.Board(rows, tuple(source.reported()), title=NASTY)
        site.write(place / "site", shown, source)
        pages = {
            str(path.relative_to(place / "site")): _read(path.read_text(encoding="utf-8"))
            for path in sorted((place / "site").rglob("*.html"))
        }
        pages["file"] = _read(as_page(rows, source.reported(), title=NASTY))
    return pages


def test_no_field_of_a_record_can_write_markup_or_code(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "nasty").mkdir()
    plain_records = [made("mobilevig_ti", level_ms=10), hot("rapidnet_ti", level_ms=12, slower=0.5)]
    failure = Failure(stage=Stage.RUN, error="e", message="m", log_tail="l\nl", advice="a")
    plain_records.append(replace(plain_records[0], record_id="f" * 32, outcome=failure))
    plain = _site(plain_records, tmp_path / "plain")
    nasty = _site(_nasty(), tmp_path / "nasty")
    ours = {tag for page in plain.values() for tag in page.tags}
    attributes = {name for page in plain.values() for name in page.attributes}
    for name, page in nasty.items():
        assert page.tags <= ours | {"wbr"}, name
        assert page.attributes <= attributes, name
    assert "img" not in ours and "onerror" not in attributes


def test_a_sensor_of_a_nasty_name_is_drawn_as_text() -> None:
    from mobilebench.notation.picture import Picture
    from mobilebench.pages.figure import picture_of
    from mobilebench.pages.timeline import timeline

    record = hot("rapidnet_ti", level_ms=12, slower=0.5)
    assert isinstance(record.outcome, Measurement)
    states = tuple(
        DeviceState(t_ns=state.t_ns, temperatures_c={NASTY: 30.0 + number})
        for number, state in enumerate(record.outcome.states[:20])
    )
    figure = timeline(replace(record, outcome=replace(record.outcome, states=states)))
    assert figure is not None
    drawn = picture_of([figure], Picture.SVG).decode()
    assert "<script" not in drawn and "&lt;script&gt;" in drawn


@pytest.mark.parametrize("query", ["q=%3Cscript%3Ealert(1)%3C/script%3E", "model=%22%3E%3Cb%3E"])
def test_what_stands_in_an_address_is_text_on_the_page(query: str, source: StoredPages) -> None:
    from mobilebench.pages.live import answer

    for path in ("", "records", "compare", "nothing"):
        page = answer(source, path, query).body.decode()
        assert "<script>alert" not in page and '"><b>' not in page

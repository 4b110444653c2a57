"""Names that help texts list are the names that exist."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from mobilebench import interop
from mobilebench.cli import app
from mobilebench.regress import metrics
from mobilebench.values.metric import Metric
from mobilebench.values.recipe import Format, Precision
from mobilebench_exporters._delegates import DELEGATES


def _help(verb: str, option: str) -> str:
    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    [text] = [p.help for p in command.params if option in p.opts]
    return str(text)


@pytest.mark.parametrize(
    ("verb", "option", "names"),
    [
        ("export", "--format", set(Format)),
        ("export", "--precision", set(Precision.exported())),
        ("export", "--delegate", set(DELEGATES)),
        ("check", "--metric", set(Metric)),
        ("bench", "--metric", set(Metric)),
        ("import", "--as", set(interop.KINDS)),
    ],
)
def test_help_lists_every_name(verb: str, option: str, names: set[str]) -> None:
    text = _help(verb, option)
    assert {name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)} == set()


def test_the_names_of_metrics_are_those_that_are_computed() -> None:
    assert [metric.value for metric in Metric] == list(metrics.names())
    assert {metric.name for metric in metrics.TIMED} == {m for m in Metric if m.timed}

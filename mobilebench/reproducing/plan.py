"""Plan how the rows of a table are made again, and name those that cannot be made here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench import plugins
from mobilebench.errors import UserError
from mobilebench.exporting.order import Terms
from mobilebench.inputs import labels
from mobilebench.inputs.source import InputSource
from mobilebench.reproducing.needs import SHORT, needs, uses
from mobilebench.reproducing.supplies import Supplies
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.record import Record
from mobilebench.values.request import TIMM, Request, is_own
from mobilebench.values.width import Width
from mobilebench.zoo.registry import list_models

_TIMM_COMMIT = "timm "
"""What the source of a network of timm begins with: timm and its version."""


@dataclass(frozen=True)
class Name:
    """The reference of a network that records know by a name alone."""

    model: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> Name:
        """Read `NAME=REFERENCE`. Raises `UserError`."""
        model, equals, reference = text.partition("=")
        if not (model and equals and reference):
            raise UserError(
                f"{text!r} does not name a network; write NAME=REFERENCE with the name that the "
                f"table has, such as net.make=net.py:make."
            )
        return cls(model, reference)


@dataclass(frozen=True)
class Task:
    """One network to export again, or one file to take as it is, with the rows about it."""

    request: Request | None
    """None for a file that was not exported."""
    file: Path | None
    """None for a network that is exported."""
    terms: Terms
    records: tuple[Record, ...]


@dataclass(frozen=True)
class NotTried:
    """A row that cannot be tried here, and why, in one sentence."""

    record: Record
    reason: str


@dataclass(frozen=True)
class Plan:
    """The rows that can be made again, by network, and those that cannot."""

    tasks: tuple[Task, ...]
    not_tried: tuple[NotTried, ...]


def plan(records: Sequence[Record], supplies: Supplies, names: Sequence[Name] = ()) -> Plan:
    """Plan every row of a table.

    Raises `UserError` for a name or a supply that no row has a use for.
    """
    _require_use_of_names(records, names)
    _require_use_of_supplies(records, supplies)
    tasks: list[Task] = []
    not_tried: list[NotTried] = []
    for record in records:
        try:
            tasks.append(_task(record, supplies, names))
        except UserError as error:
            not_tried.append(NotTried(record, str(error)))
    return Plan(tuple(_joined(tasks)), tuple(not_tried))


def _joined(tasks: Sequence[Task]) -> Iterator[Task]:
    """Join the tasks about one network, so that it is loaded and checked once."""
    groups: dict[tuple[Request | None, Path | None, Terms], list[Record]] = {}
    for task in tasks:
        groups.setdefault((task.request, task.file, task.terms), []).extend(task.records)
    for (request, file, terms), records in groups.items():
        yield Task(request, file, terms, tuple(records))


def _require_use_of_names(records: Sequence[Record], names: Sequence[Name]) -> None:
    known = sorted({record.model.name for record in records})
    for name in names:
        if name.model not in known:
            raise UserError(
                f"No row is about a network called {name.model!r}; the rows are about "
                f"{', '.join(known)}."
            )


def _require_use_of_supplies(records: Sequence[Record], supplies: Supplies) -> None:
    used = frozenset[str]().union(*map(uses, records))
    for item in supplies.items:
        if used.isdisjoint(item.names):
            wanted = sorted({str(need) for record in records for need in needs(record)})
            raise UserError(
                f"No row was made from {item.path} (sha256 {item.names[0][:SHORT]}); the rows "
                f"need {', '.join(wanted) or 'no file of their author'}."
            )


def _task(record: Record, supplies: Supplies, names: Sequence[Name]) -> Task:
    """Return the task of one row. Raises `UserError` where something for it is not here."""
    missing = [str(need) for need in needs(record) if supplies.find(need.sha256) is None]
    if missing:
        each = "it" if len(missing) == 1 else "each of them"
        raise UserError(f"It needs {' and '.join(missing)}; give {each} with --with PATH.")
    facts, recipe = record.artifact, record.recipe
    if facts is not None and facts.given:
        return Task(None, supplies.find(facts.sha256), Terms(), (record,))
    plugins.exporter(recipe.format).tool_versions(recipe.delegate)  # raises for a missing toolkit
    return Task(_request(record.model, supplies, names), None, _terms(record, supplies), (record,))


def _terms(record: Record, supplies: Supplies) -> Terms:
    facts, recipe = record.artifact, record.recipe
    folder = None
    if recipe.calibration is not None:
        folder = supplies.find(recipe.calibration.source)
    if folder is None and facts is not None and facts.agreement is not None:
        folder = supplies.find(facts.agreement.source)
    names = None if recipe.class_labels is None else supplies.find(recipe.class_labels)
    return Terms(
        source=InputSource(folder),
        image_input=recipe.image_input is not None,
        class_labels=() if names is None else labels.read(names),
        force=True,  # a file that lies there already would show nothing
        # A file that was kept although it failed is made again, to see whether it still does.
        allow_parity_failure=facts is not None and not all(p.passed for p in facts.parity),
    )


def _request(model: ModelSpec, supplies: Supplies, names: Sequence[Name]) -> Request:
    """Name the network of a record, with its weights and its input sizes."""
    reference = _reference(model, names)
    own = is_own(reference)
    sized = own or reference.startswith(TIMM)
    weights = model.weights
    checkpoint = None if weights is None else supplies.find(weights.origin)
    return Request(
        reference=reference,
        checkpoint=None if checkpoint is None else str(checkpoint),
        checkpoint_key=None if weights is None else weights.key,
        resolution=None if sized or model.resolution is None else model.resolution[0],
        inputs=model.inputs if sized else (),
        num_classes=None if own else model.num_classes,
        preprocessing=model.preprocessing if own else None,
        width=Width(shares=model.stage_widths) if model.stage_widths and not own else None,
    )


def _reference(model: ModelSpec, names: Sequence[Name]) -> str:
    """Return how a network is named here. Raises `UserError` where that is not known."""
    for name in names:
        if name.model == model.name:
            return name.reference
    if model.source is not None and model.source.commit.startswith(_TIMM_COMMIT):
        return f"{TIMM}{model.name}"
    if model.source is not None and model.name in list_models():
        return model.name
    stem, _, function = model.name.rpartition(".")
    if stem and Path(f"{stem}.py").is_file():
        return f"{stem}.py:{function}"
    raise UserError(
        f"{model.name} is a network of its author's own; name it with "
        f"--model {model.name}=FILE.py:FUNCTION."
    )

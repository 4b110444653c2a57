"""Read policies, their limits on heat, and tables of widths from a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import listed
from mobilebench.values.policy import PolicyRule

if TYPE_CHECKING:
    from mobilebench.values.artifact import Artifact
    from mobilebench.values.job import VariantAccuracy
    from mobilebench.values.policy import Aim, Policy

T = TypeVar("T")
_LIMITS = ("status=WORD", "headroom=NUMBER", "skin=DEGREES", "battery=DEGREES", "capped=0")
Limit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        rich_help_panel=Panel.SETTING,
        help=f"Limit on heat: {listed(_LIMITS)}; repeatable. A status is a word of Android's, such "
        "as MODERATE; no warmer one is meant.",
    ),
]

Table = Annotated[
    Path | None,
    typer.Option(
        "--widths",
        metavar="FILE",
        rich_help_panel=Panel.SETTING,
        help="Table of widths as JSON, for the accuracies that a policy weighs. Default: those "
        "that `mobilebench eval` stored.",
    ),
]


def read_policies(
    words: Sequence[str], limits: Sequence[str], others: Sequence[str] = ()
) -> list[tuple[str, Policy | None]]:
    """Return each policy with its name; None stands for one of `others`.

    A policy is the name of a rule, or a file. Raises `UserError` for an unknown name, a name that
    comes twice, a file that holds no policy, and limits that no policy looks at.
    """
    from dataclasses import replace

    from mobilebench.errors import UserError, require_known
    from mobilebench.thermal.controllers import PURSUES_HEAT
    from mobilebench.thermal.limits import has_limit
    from mobilebench.values.policy import Policy

    aim = read_aim(limits)
    policies: list[tuple[str, Policy | None]] = []
    for word in words:
        path = Path(word)
        if word in others:
            policies.append((word, None))
        elif word in list(PolicyRule) or not (path.exists() or path.suffix):
            require_known("policy", word, (*PolicyRule, *others))
            policies.append((word, Policy(rule=PolicyRule(word), aim=aim)))
        else:
            policy = read_document(Policy, path)
            policies.append((path.stem, replace(policy, aim=aim) if has_limit(aim) else policy))
    names = [name for name, _ in policies]
    if len(set(names)) < len(names):
        raise UserError(f"Two policies have one name: {', '.join(names)}; give each once.")
    if has_limit(aim) and not any(p and p.rule in PURSUES_HEAT for _, p in policies):
        raise UserError(
            f"--limit is for policies that look at heat ({listed(sorted(PURSUES_HEAT))}), and none "
            f"was given; add one, or leave --limit out."
        )
    return policies


def read_aim(limits: Sequence[str]) -> Aim:
    """Read --limit. Raises `UserError` for what is not a limit."""
    from mobilebench.errors import UserError, require_known
    from mobilebench.values.device import ANDROID_STATUSES, ThermalState
    from mobilebench.values.policy import Aim

    values: dict[str, Any] = {}
    for text in limits:
        name, _, word = text.partition("=")
        if name == "status":
            states = {state.value: state for state in ThermalState} | ANDROID_STATUSES
            require_known("thermal status", word.lower(), states)
            values["warmest"] = states[word.lower()]
        elif name == "capped":
            if word != "0":
                raise UserError(f"--limit was given as {text!r}; the one such limit is capped=0.")
            values["uncapped"] = True
        elif name in ("headroom", "skin", "battery"):
            field = name if name == "headroom" else f"{name}_c"
            values[field] = _number(text, word)
        else:
            raise UserError(f"--limit was given as {text!r}; give {listed(_LIMITS)}.")
    try:
        return Aim(**values)
    except ValueError as error:
        raise UserError(f"A limit is impossible: {error}.") from error


def _number(text: str, word: str) -> float:
    from mobilebench.errors import UserError

    try:
        return float(word)
    except ValueError:
        raise UserError(f"--limit was given as {text!r}; {word!r} is not a number.") from None


def read_document(cls: type[T], path: Path) -> T:
    """Read a document. Raises `UserError` where there is no such file."""
    from mobilebench.errors import UserError
    from mobilebench.values import wire

    try:
        return wire.read(cls, path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {(error.strerror or 'it failed').lower()}; give the path of a "
            f"{cls.__name__} document."
        ) from error


def read_accuracies(
    artifacts: Sequence[Artifact], table: Path | None, store: str | None
) -> dict[float, VariantAccuracy]:
    """Return the accuracy of each width, from a table or from what was evaluated."""
    from mobilebench.store import RecordStore
    from mobilebench.values.job import VariantAccuracy
    from mobilebench.values.widths import Widths

    if table is not None:
        given = read_document(Widths, table)
        return {
            cost.width: VariantAccuracy(
                top1=cost.top1, source=given.accuracy_source, measured=False
            )
            for cost in given.widths
        }
    widths = {each.manifest.facts.sha256: each.manifest.model.width for each in artifacts}
    with RecordStore(store) as stored:
        return {
            widths[each.artifact.sha256]: VariantAccuracy(
                top1=100 * each.top1.value, source=each.data.title, measured=True
            )
            for each in stored.find_accuracies()
            if each.artifact.sha256 in widths and each.top1.value is not None
        }

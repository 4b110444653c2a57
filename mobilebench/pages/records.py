"""The page that lists records, the newest first, some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.view import View
from mobilebench.notation.quantities import duration
from mobilebench.pages.board import Choice
from mobilebench.pages.templates import Shell, render


@dataclass(frozen=True)
class Listed:
    """One record of the list."""

    record_id: str
    created: str
    model: str
    artifact: str
    device: str
    device_kind: str
    protocol: str | None
    p50_ns: float | None
    """None for a failure, and for a record that cannot be read."""
    failed: bool = False
    suspect: bool = False
    unreadable: bool = False


def records(
    lines: Sequence[Listed],
    shell: Shell,
    view: View,
    choices: Sequence[Choice] = (),
    *,
    first: str = "",
    following: str = "",
) -> str:
    """Return the page, as HTML.

    `first` and `following` are the addresses of the first page and of the next one; both are empty
    where there is none.
    """
    return render(
        "records.html.j2",
        shell,
        page="records",
        heading="Records",
        lines=lines,
        view=view,
        first=first,
        choices=choices,
        following=following,
        duration=duration,
        charted=False,
    )

"""What pages ask of whoever keeps the records: a server's routes need nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.pages.devices import Seen
from mobilebench.pages.history import Cell
from mobilebench.pages.records import Listed
from mobilebench.regress.history import History
from mobilebench.results import Entry
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported


class Source(Protocol):
    """Where pages get their data; every method may be called from several threads."""

    def rows(self, view: View) -> Sequence[Row]:
        """Return the ranked rows of the board, at least those that the view shows.

        Ranks are those of whole groups, whatever the view leaves out.
        """

    def entries(self, rows: Sequence[Row]) -> Sequence[Entry]:
        """Return the entries that rows are of."""

    def reported(self) -> Sequence[Reported]:
        """Return the results of others."""

    def record(self, record_id: str) -> Record | None:
        """Return a record with its samples; None where there is none of this id."""

    def document(self, record_id: str) -> str | None:
        """Return the text of a record as it came; None where there is none of this id."""

    def accuracies(self, file_sha256: str) -> Sequence[Accuracy]:
        """Return the accuracies that were measured of a file."""

    def records(self, view: View, after: str, limit: int) -> tuple[Sequence[Listed], str]:
        """Return some records, the newest first, that are older than those before.

        `after` is the key with which the page before ended, empty for the first page. Returned
        with them is the key for the next page, empty for the last one.
        """

    def devices(self) -> Sequence[Seen]:
        """Return the devices that measured."""

    def cells(self) -> Sequence[Cell]:
        """Return the cells that were measured more than once, the most often measured first."""

    def histories(self, record_id: str) -> Sequence[History]:
        """Return the history of a record's cell."""

"""Bring records to a server: into the spool first, then out, so that none is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mobilebench.errors import OutputError, ServerAway, ServerRefused, UserError
from mobilebench.notation.quantities import counted
from mobilebench.store.documents import Document
from mobilebench.submitting import membership
from mobilebench.submitting.address import Address
from mobilebench.submitting.client import Server
from mobilebench.submitting.patience import IMPATIENT, Patience
from mobilebench.submitting.spool import BATCH_BYTES, BATCH_RECORDS, Sent, Spool


class Outbox:
    """The way of records to one server; never raises because the server is away."""

    def __init__(self, address: Address, patience: Patience | None = None) -> None:
        """Open the way to a server; raises `UserError` where this computer has no token of it."""
        self.address = address
        self.spool = Spool(membership.folder(address) / "spool")
        self.sent = Sent()
        self._token = membership.require(address).token
        self._patience = patience or Patience()
        self._lost: UserError | None = None
        self._is_spent = False
        """Whether the server was waited for in vain."""
        self._not_kept: OutputError | None = None

    def put(self, document: Document) -> None:
        """Keep a record for the server, and try once to send it.

        Where that fails, nothing is tried again before `close`: a measurement goes on.
        """
        names = self._keep([document])
        if self._lost is None and names:
            with Server(self.address, self._token, IMPATIENT) as server:
                self._try(server, names)

    def put_all(self, documents: Iterable[Document]) -> None:
        """Send records that lie elsewhere, too; keep those that cannot be sent."""
        with Server(self.address, self._token, self._patience) as server:
            for batch in _batches(documents):
                if self._lost is None:
                    try:
                        results = server.submit([document.text for document in batch])
                    except (ServerAway, ServerRefused) as error:
                        self._lost, self._is_spent = error, True
                    else:
                        for document, taken in zip(batch, results, strict=True):
                            self.sent += self.spool.settle(document.text, taken)
                        continue
                self._keep(batch)

    def close(self) -> None:
        """Send all that waits, also of earlier calls, with the patience that is left."""
        self._lost = None
        patience = IMPATIENT if self._is_spent else self._patience
        with Server(self.address, self._token, patience) as server:
            self._try(server, None)

    def _keep(self, documents: Iterable[Document]) -> list[str]:
        names = []
        for document in documents:
            try:
                names.append(self.spool.add(document.text))
            except OutputError as error:
                self._not_kept = error
                self._send_at_once(document)
        return names

    def _send_at_once(self, document: Document) -> None:
        """Send a record for which the disk has no room; where that fails, it is the store's."""
        with Server(self.address, self._token, IMPATIENT) as server:
            try:
                [taken] = server.submit([document.text])
            except (ServerAway, ServerRefused) as error:
                self._lost = error
                return
        self._not_kept = None
        self.sent += Sent(
            added=taken.status == "added",
            there=taken.status == "there",
            refused=(f"{document.record.record_id}: {taken.why}",) if taken.why else (),
        )

    def _try(self, server: Server, names: list[str] | None) -> None:
        try:
            for part in self.spool.send(server, names):
                self.sent += part
        except (ServerAway, ServerRefused, OutputError) as error:
            self._lost = error

    @property
    def complete(self) -> bool:
        """Whether the server has all that was to be sent."""
        return self._lost is None and self._not_kept is None and not self.sent.refused

    def sentences(self) -> list[str]:
        """Say what became of the records, for people."""
        sent, lines = self.sent, []
        if sent.added or sent.there or self._lost is None:
            there = f", {sent.there} there already" if sent.there else ""
            lines.append(f"{counted(sent.added, 'record')} sent{there}: {self.address}")
        lines += [f"refused, and set apart: {sentence}" for sentence in sent.refused]
        if self._lost is not None:
            waiting = counted(len(self.spool), "record")
            lines.append(
                f"{self._lost} {waiting} kept in {self.spool.folder}; the next `mobilebench "
                f"submit --server {self.address}` sends them."
            )
        if self._not_kept is not None:
            lines.append(
                f"not kept to be sent later: {self._not_kept} Send what is in the store with "
                f"`mobilebench submit store:id=... --server {self.address}`."
            )
        return lines


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield documents that go in one request."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        if batch and (len(batch) == BATCH_RECORDS or size + len(document.text) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document.text)
    if batch:
        yield batch

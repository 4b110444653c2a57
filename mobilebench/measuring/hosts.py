"""Measure on devices that are attached to other computers, the workers of a dask cluster.

Each worker declares the devices of its computer as resources:

    dask worker tcp://HOST:8786 --nthreads 2 --resources "adb:SERIAL=1 adb:SERIAL2=1"

A cell goes to a worker that has its device. Where that one is killed, another one that has the
device takes over. Model files travel once to each worker.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from mobilebench import files, plugins
from mobilebench.errors import BundleError, Cancelled, UserError
from mobilebench.interfaces import Ran
from mobilebench.machine import cluster
from mobilebench.machine.cluster import Tasks
from mobilebench.measuring import batch, bench, devices
from mobilebench.measuring.devices import Offer
from mobilebench.measuring.setting import Cell
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.artifact import (
    REFERENCE_FILE,
    Artifact,
    content_sha256,
    file_and_weights,
    is_bundle,
)
from mobilebench.values.device import Device

_POLL_S = 0.2
_LOOK_S = 2.0
"""Between two looks at which workers there are."""
_COMPUTER = threading.Lock()
"""Held by a worker's task that computes on the worker's computer."""
_FILES = threading.Lock()
"""Held by a worker's task that writes the files of an artifact."""


@dataclass(frozen=True)
class _Lacking:
    """The answer of a worker that does not have all files of a cell yet."""


@contextmanager
def reached(address: str | None) -> Iterator[batch.Way]:
    """Yield the way to the devices of a cluster, or of this computer where no address is given.

    Raises as `cluster.executor` does.
    """
    if address is None:
        yield batch.Here()
        return
    # Toolkits of this computer may differ from theirs: phones and boards have separate ones.
    with cluster.executor(address, extras=()) as pool:
        yield Hosts(pool)


class Hosts:
    """The way to the devices of a cluster's workers.

    `lost_s` is how long a task waits for a worker that has its device.
    """

    def __init__(self, pool: Tasks, lost_s: float = 10.0) -> None:
        self._pool = pool
        self._lost_s = lost_s

    def offers(self, scheme: str | None = None) -> tuple[Offer, ...]:
        """Return the devices that workers declare, each once; otherwise as `devices.offers`.

        `host` is no device of a cluster: it is another one on every worker.
        """
        answers = self._pool.ask(_offers, self._declared())
        by_id: dict[str, Offer] = {}
        for offers in answers.values():
            for offer in offers:
                known = by_id.get(offer.device.id)
                if known is None or not known.usable:
                    by_id[offer.device.id] = offer
        return tuple(
            each for each in by_id.values() if scheme in (None, each.scheme, each.device.id)
        )

    def run(self, cell: Cell, cancel: Event, progress: Progress) -> Ran:
        progress.stage("on the cluster")
        answer = self._result(cell, {}, cancel)
        if isinstance(answer, _Lacking):
            progress.stage("on the cluster, with its files")
            contents = {_key(each): _pack(each) for each in (cell.artifact, *cell.variants)}
            answer = self._result(cell, contents, cancel)
        if isinstance(answer, _Lacking):
            raise UserError(f"The worker of {cell.device.id} lost the files of {cell.name}.")
        return answer

    def obstacles(self, device_id: str) -> tuple[str, ...]:
        answers = self._pool.ask(_obstacles, self._declared(), device_id)
        there = [each for each in answers.values() if each is not None]
        if not there:
            return (f"No worker of the cluster has {device_id} now: start one that declares it.",)
        return min(there, key=len)

    def takes_turns(self, device: Device) -> bool:
        return False  # the workers see to that

    def _declared(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of the devices that each worker declares, by its address."""
        schemes = set(plugins.runner_names()) - {"host"}
        return {
            address: tuple(name for name in names if name.partition(":")[0] in schemes)
            for address, names in self._pool.resources().items()
        }

    def _result(self, cell: Cell, contents: Mapping[str, bytes], cancel: Event) -> Ran | _Lacking:
        """Run a cell on a worker; raise `Cancelled`, or `UserError` where none has its device."""
        device_id = cell.device.id
        while True:
            holders = self._holders(device_id)
            future = self._pool.submit_with(device_id, _run, cell, contents)
            try:
                answer = self._awaited(future, device_id, holders, cancel)
            except BaseException:
                future.cancel()
                raise
            if answer is not None:
                return answer
            future.cancel()

    def _awaited(
        self, future: Future[Ran | _Lacking], device_id: str, holders: set[str], cancel: Event
    ) -> Ran | _Lacking | None:
        """Wait for a task; None where it has to be submitted again.

        Of `holders`, the workers that had the device, dask knows; a task whose last one is gone is
        not seen by a worker that declares the device later.
        """
        seen = looked = time.monotonic()
        while True:
            try:
                return future.result(timeout=_POLL_S)
            except NotYet:
                if future.done():  # the task's error is a `TimeoutError`
                    raise
            if cancel.is_set():
                raise Cancelled
            now = time.monotonic()
            if now - looked < _LOOK_S:
                continue
            looked = now
            present = self._holders(device_id)
            if present:
                if present.isdisjoint(holders):
                    return None
                holders, seen = holders | present, now
            elif now - seen > self._lost_s:
                raise UserError(f"No worker of the cluster has {device_id} any more.")

    def _holders(self, device_id: str) -> set[str]:
        return {address for address, ids in self._declared().items() if device_id in ids}


# On a worker.


def _offers(address: str, declared: Mapping[str, Sequence[str]]) -> tuple[Offer, ...]:
    ids = declared.get(address, ())
    schemes = dict.fromkeys(each.partition(":")[0] for each in ids)
    listed = [offer for name in schemes for offer in devices.offers(name) if offer.device.id in ids]
    # A worker may declare a board that its computer does not list.
    rest = [each for each in ids if each not in {offer.device.id for offer in listed}]
    return (*listed, *(offer for each in rest if ":" in each for offer in devices.offers(each)))


def _obstacles(
    address: str, declared: Mapping[str, Sequence[str]], device_id: str
) -> tuple[str, ...] | None:
    """Say what stands in the way of a device; None where this worker does not declare it."""
    if device_id not in declared.get(address, ()):
        return None
    return devices.obstacles(device_id)


def _run(cell: Cell, contents: Mapping[str, bytes]) -> Ran | _Lacking:
    """Run a cell on a device of this computer, where its files are here or come with it."""
    root = cluster.scratch() / "mobilebench-artifacts"
    artifacts = [_here(each, root, contents) for each in (cell.artifact, *cell.variants)]
    whole = [each for each in artifacts if each is not None]
    if len(whole) < len(artifacts):
        return _Lacking()
    cell = replace(cell, artifact=whole[0], variants=tuple(whole[1:]))
    with _COMPUTER if batch.Here().takes_turns(cell.device) else nullcontext():
        return bench.run_here(cell, cluster.cancelled(), SilentProgress())


def _here(artifact: Artifact, root: Path, contents: Mapping[str, bytes]) -> Artifact | None:
    """Return an artifact with its files on this computer; None where they are not there yet.

    Raises `BundleError` for files that were changed on the way.
    """
    place = root / _key(artifact)
    here = replace(artifact, folder=place)
    if place.exists():
        return here
    if _key(artifact) not in contents:
        return None
    with _FILES, files.staging_folder(root) as staged:
        if place.exists():  # another task was faster
            return here
        files.unpack(contents[_key(artifact)], staged)
        if content_sha256(staged / artifact.manifest.model_file) != artifact.manifest.facts.sha256:
            raise BundleError(
                f"The files of {artifact.name} were damaged on their way to a worker."
            )
        files.publish_folder(staged, place)
    return here


def _key(artifact: Artifact) -> str:
    """Return the name under which a worker keeps the files of an artifact."""
    facts = artifact.manifest.facts
    return hashlib.sha256(f"{facts.sha256} {facts.key}".encode()).hexdigest()[:32]


def _pack(artifact: Artifact) -> bytes:
    """Return the model file, its weights and the reference of an artifact as an archive."""
    parts = list(file_and_weights(artifact.model_path))
    if is_bundle(artifact.folder) and (artifact.folder / REFERENCE_FILE).is_file():
        parts.append(artifact.folder / REFERENCE_FILE)
    return files.pack(artifact.folder, parts)

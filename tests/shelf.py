"""A shelf of scripted phones: each runs, fails, hangs or disappears as its script says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from mobilebench import plugins
from mobilebench.errors import Cancelled, CellFailed, UserError
from mobilebench.interfaces import Ran
from mobilebench.measuring.setting import Setting
from mobilebench.observer import Progress
from mobilebench.values.artifact import Artifact, Manifest
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.job import Job
from mobilebench.values.measurement import Measurement
from mobilebench.values.obstacles import Obstacle
from mobilebench.values.recipe import Format
from tests.protocols import QUICK
from tests.records import measured

Step = Callable[["Phone", Event], None]


@dataclass
class Phone:
    """A phone whose cells follow `steps`; after the last, cells just succeed."""

    id: str
    model: str = "Scripted phone"
    kind: DeviceKind = DeviceKind.PHONE
    steps: list[Step] = field(default_factory=list)
    attached: bool = True
    why_not: tuple[Obstacle, ...] = ()
    looks: int = 0
    serialno: str | None = None
    ran: list[str] = field(default_factory=list)
    """Names of the models of the cells that were begun."""

    @property
    def device(self) -> Device:
        return Device(id=self.id, kind=self.kind, model=self.model, os="Android", os_version="16")


class Shelf:
    """A runner of scripted phones."""

    scheme = "adb"
    transport = "script"

    def __init__(self, *phones: Phone) -> None:
        self.phones = {phone.id: phone for phone in phones}
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def devices(self) -> tuple[Device, ...]:
        return tuple(
            phone.device for phone in self.phones.values() if phone.attached and not phone.why_not
        )

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        there = [
            phone
            for phone in self.phones.values()
            if device_id in (None, phone.id) and phone.attached
        ]
        if device_id is not None:
            self.phones[device_id].looks += 1
        return tuple(
            Attached(
                id=phone.id,
                kind=phone.kind,
                model=phone.model,
                os="Android",
                os_version="16",
                why_not=phone.why_not,
            )
            for phone in there
        )

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        return ("onnxruntime",) if artifact_format is Format.ONNX else ()

    def run(
        self,
        device_id: str,
        artifact: Artifact,
        job: Job,
        cancel: Event | None = None,
        progress: Progress | None = None,
        variants: Sequence[Artifact] = (),
    ) -> Ran:
        phone = self.phones[device_id]
        if not phone.attached or phone.why_not:
            raise UserError(f"The device {device_id} cannot be used now.")
        phone.ran.append(artifact.manifest.model.name)
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if phone.steps:
                phone.steps.pop(0)(phone, cancel or Event())
        finally:
            with self._lock:
                self.at_once -= 1
        outcome = measured().outcome
        assert isinstance(outcome, Measurement)
        return Ran(outcome, phone.device)

    def perform(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    def predict(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    def use(self, monkeypatch: pytest.MonkeyPatch) -> Shelf:
        """Be the runner of every device, as if `adb` were the only plug-in."""
        monkeypatch.setattr(plugins, "runner_names", lambda: ("adb",))
        monkeypatch.setattr(plugins, "runner", lambda _: self)
        return self


def succeed(phone: Phone, cancel: Event) -> None:
    """Succeed at once."""


def crash(phone: Phone, cancel: Event) -> None:
    """Fail as a runtime does."""
    raise CellFailed("run", "Crash", "its process was ended by the signal SIGSEGV")


def refuse(phone: Phone, cancel: Event) -> None:
    """Fail by what the user can mend."""
    raise UserError("The phone has no room for the model; delete something.")


def disappear(phone: Phone, cancel: Event) -> None:
    """Lose the connection for good in the middle of a cell."""
    phone.attached = False
    raise CellFailed("run", "ConnectionLost", "the device did not come back within 180 s")


def hang(phone: Phone, cancel: Event) -> None:
    """Go on until cancelled."""
    cancel.wait(60)
    raise Cancelled


def hang_for_good(phone: Phone, cancel: Event) -> None:
    """Go on, cancelled or not."""
    time.sleep(60)


def meet(barrier: threading.Barrier) -> Step:
    """Wait until other phones are in the middle of a cell, too."""

    def step(phone: Phone, cancel: Event) -> None:
        barrier.wait(timeout=60)

    return step


def artifact(name: str, format_: Format = Format.ONNX) -> Artifact:
    """Return an artifact without a file, for phones that read none."""
    record = measured(model=name)
    assert record.artifact is not None
    return Artifact(
        Path(f"/nowhere/{name}"),
        Manifest(
            created=record.created,
            mobilebench_version="0.1",
            model=record.model,
            recipe=replace(record.recipe, format=format_),
            model_file="model.onnx",
            facts=replace(record.artifact, sha256=name.encode().hex().ljust(64, "0")[:64]),
        ),
    )


def artifacts(count: int) -> list[Artifact]:
    """Return artifacts called `model0`, `model1` and so on."""
    return [artifact(f"model{number}") for number in range(count)]


SETTING = Setting(device_id="adb", protocol=QUICK)

"""Stand-ins for the production interfaces, for what no real part does on demand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilebench.measuring.engine import Instruments
from mobilebench.observer import Progress
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.measurement import UnitEvidence
from mobilebench.values.tensor import TensorSpec


class ScriptedDevice:
    """A clock, a thermometer and an inference call that follow a script.

    Each inference takes the next of `latencies_ns`, each reading of the thermometer shows the next
    of `thermal`; after the last, the last is repeated. Reading the clock takes no time.
    """

    def __init__(
        self,
        latencies_ns: Sequence[int],
        load_ns: int = 1_000,
        thermal: Sequence[ThermalState | None] = (None,),
    ) -> None:
        self._latencies = list(latencies_ns)
        self._load_ns = load_ns
        self._thermal = list(thermal)
        self.looks = 0
        self.waits: list[int] = []
        self.now_ns = 5_000_000
        self.inferences = 0

    @property
    def instruments(self) -> Instruments:
        return Instruments(self.clock, self.wait, self.sense)

    def clock(self) -> int:
        return self.now_ns

    def wait(self, nanoseconds: int) -> None:
        self.waits.append(nanoseconds)
        self.now_ns += nanoseconds

    def sense(self) -> DeviceState:
        thermal = self._thermal[min(self.looks, len(self._thermal) - 1)]
        self.looks += 1
        return DeviceState(t_ns=self.now_ns, thermal=thermal)

    def load(self) -> Any:
        self.now_ns += self._load_ns
        return self.infer

    def infer(self) -> None:
        index = min(self.inferences, len(self._latencies) - 1)
        self.now_ns += self._latencies[index]
        self.inferences += 1


class Followed:
    """An observer that keeps what it is told, and the progress of each piece of work."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stages: list[str] = []
        self.outcomes: list[str] = []

    def preparing(self, network: str) -> Progress:
        return self.started(network)

    def started(self, cell: str) -> Progress:
        self.names.append(cell)
        return _Step(self)

    def skipped(self, cell: str, outcome: str) -> None:
        self.names.append(cell)
        self.outcomes.append(outcome)


class _Step:
    def __init__(self, followed: Followed) -> None:
        self._followed = followed

    def stage(self, name: str) -> None:
        self._followed.stages.append(name)

    def finished(self, outcome: str) -> None:
        self._followed.outcomes.append(outcome)


class _Runtime:
    evidence = UnitEvidence.CONFIRMED

    def version(self) -> str:
        return "double"

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> Any:
        return self

    def encode(self, inputs: Sequence[Any]) -> list[Any]:
        return list(inputs)

    def decode(self, outputs: Sequence[Any]) -> list[Any]:
        return list(outputs)

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        raise NotImplementedError


class CrashingRuntime(_Runtime):
    def run(self, inputs: Sequence[Any]) -> list[Any]:
        print("about to crash", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
        return []


class HangingRuntime(_Runtime):
    def run(self, inputs: Sequence[Any]) -> list[Any]:
        time.sleep(600)
        return []


class RefusingRuntime(_Runtime):
    def load(self, model_path: Path, threads: int, entry: str | None = None) -> Any:
        raise ValueError("operator Nonsense is not supported")


class ReusingRuntime(_Runtime):
    """Hands out one buffer and overwrites it in every run, as interpreters do."""

    def __init__(self) -> None:
        self._buffer = np.zeros(1, np.float32)

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        self._buffer[:] = inputs[0].ravel()[0]
        return [self._buffer]


# Functions that run in child processes.


def typed(tensor: TensorSpec, sizes: tuple[int, ...], path: Path | None) -> TensorSpec:
    return replace(tensor, name=str(path), shape=(*tensor.shape, *sizes))


def echo(request: dict[str, Any]) -> dict[str, Any]:
    print("echoing")
    return {"echo": request, "pid": os.getpid()}


def crash(request: dict[str, Any]) -> dict[str, Any]:
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def fill_memory(request: dict[str, Any]) -> dict[str, Any]:
    print("filling", flush=True)
    held = []
    while True:
        held.append(np.ones(1 << 24))  # 128 MB, every page of it written
        time.sleep(0.05)


def hang(request: dict[str, Any]) -> dict[str, Any]:
    if "pid_file" in request:
        Path(request["pid_file"]).write_text(str(os.getpid()))
    print("started hanging", flush=True)
    time.sleep(600)
    return {}


def leave(request: dict[str, Any]) -> dict[str, Any]:
    os._exit(7)


def refuse(request: dict[str, Any]) -> dict[str, Any]:
    from mobilebench.errors import UnknownName

    raise UnknownName.among("colour", "bleu", ["blue", "red"])


def stumble(request: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("no such operator")


def threads(request: dict[str, Any]) -> dict[str, Any]:
    return {"threads": os.environ.get("OMP_NUM_THREADS")}

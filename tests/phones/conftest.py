"""A phone at the end of an adb that follows a script, and a job that takes two seconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilebench import plugins
from mobilebench.measuring import job_folder
from mobilebench.values.artifact import Artifact
from mobilebench.values.job import Reporting
from mobilebench.values.recipe import Precision
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from tests.conftest import TINY, export_quickly, shared_folder
from tests.phones.packages import write_package
from tests.phones.scripted_phone import Phone, write_adb
from tests.protocols import QUICK, job_for

_S = 1_000_000_000
# Three rounds of half a second with a frame each 5 ms, told ten times a second.
ROUNDS = replace(
    QUICK,
    rounds=3,
    inferences=1,
    min_duration_ns=_S // 2,
    max_duration_ns=_S,
    interval_ns=_S // 200,
)
OFTEN = Reporting(every_ns=_S // 10)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Return the tiny network in one file, with the outputs that are expected of it."""
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    recipe = plugins.exporter("onnx").recipe(Precision.FP32)
    with shared_folder(tmp_path_factory, "phones-artifact") as out:
        [exported] = export_quickly(request, [recipe], out)
    assert isinstance(exported.outcome, Artifact), exported.outcome
    return exported.outcome


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    """Return a phone that nothing is wrong with, the only one that adb lists."""
    phone = Phone.make(tmp_path / "phone")
    programs = write_adb(tmp_path / "programs")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PHONES", str(phone.folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MOBILEBENCH_APK", str(write_package(tmp_path / "app.apk")))
    yield phone
    phone.kill()


@pytest.fixture
def job(artifact: Artifact, tmp_path: Path) -> Callable[..., Path]:
    """Return what writes the folder of a job, with changes of it."""

    def write(name: str = "job", **changes: Any) -> Path:
        job = replace(job_for(artifact, "onnxruntime"), protocol=ROUNDS, reporting=OFTEN)
        job_folder.write(artifact, replace(job, **changes), tmp_path / name)
        return tmp_path / name

    return write

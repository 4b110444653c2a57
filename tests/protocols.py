"""A protocol that takes no time, and jobs by it."""

from __future__ import annotations

from mobilebench.measuring import setting
from mobilebench.measuring.setting import Setting
from mobilebench.values.artifact import Artifact
from mobilebench.values.job import Job
from mobilebench.values.protocol import Protocol, WarmUp

QUICK = Protocol(
    id="test-quick",
    purpose="tests",
    rounds=2,
    warm_up=WarmUp(min_iterations=2, min_duration_ns=0, max_duration_ns=10**9),
    inferences=5,
    min_duration_ns=0,
    max_duration_ns=10**10,
)


def quick(*runtimes: str, threads: tuple[int, ...] = (1,)) -> Setting:
    """Return a setting of this machine by the quick protocol."""
    return Setting(device_id="host", protocol=QUICK, runtimes=runtimes, threads=threads)


def job_for(artifact: Artifact, runtime: str, threads: int = 1) -> Job:
    """Return the job of an artifact by the quick protocol."""
    return setting.job_for(artifact, runtime, threads, quick())

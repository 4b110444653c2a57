"""A run of a runtime's own benchmark in the shell of a device."""

from __future__ import annotations

from dataclasses import field

from mobilebench.values import require_range, value
from mobilebench.values.attached import Attached
from mobilebench.values.seen import Interruption

FOLDER = "{folder}"
"""Stands in the arguments of a program for the folder on the device that it runs in."""


@value
class ToolFile:
    """A file that was given to the device."""

    name: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        require_range(self, "size_bytes")


@value
class ToolRun:
    """How a program of others was run on a device, beside what it printed.

    A process of the shell has other limits than an app: its results belong to no record.
    """

    by: str
    """The tool that talked to the device, with its version."""
    program: ToolFile
    libraries: tuple[ToolFile, ...] = ()
    """Libraries and other files that lay beside the program."""
    model: ToolFile
    arguments: tuple[str, ...]
    """As they were given; `{folder}` stands for the folder on the device."""
    began: str
    """Date and time in UTC, by the computer's clock."""
    duration_ns: int | None = None
    """Until the end was noticed, which is looked for every second or so; None without an end."""
    exit_code: int | None = None
    profile: str | None = None
    """The task profile that the system took for the process; None where it took none."""
    profile_refusal: str | None = None
    """What it said instead."""
    cpuset: str | None = None
    """The group of cores that the process was in, as the kernel names it."""
    settings: dict[str, str] = field(default_factory=dict)
    """What the computer set on the device, and put back after it."""
    before: Attached
    """The device before the run: heat, battery, clocks. Without serial numbers."""
    after: Attached | None = None
    """None where it could not be read any more."""
    interruptions: tuple[Interruption, ...] = ()
    output_sha256: str | None = None
    """Of the file with all that it printed; None where that could not be read."""

    def __post_init__(self) -> None:
        require_range(self, "duration_ns")

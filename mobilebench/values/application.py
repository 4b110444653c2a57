"""The program that measured, and how the system scheduled it."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import require_range, value


class Build(StrEnum):
    """How a program was built."""

    RELEASE = "release"
    DEBUG = "debug"


@value
class Application:
    """The app, or the program, that measured."""

    name: str
    version: str
    build: Build
    runtime_build: Build | None = None
    """Of the runtime inside it; None where that is not known."""


@value
class Scheduling:
    """How the system treated the measuring process at one moment; None is not known."""

    t_ns: int
    foreground: bool | None = None
    screen_on: bool | None = None
    importance: str | None = None
    """In the system's own words: `foreground service`, `active`."""
    cpuset: str | None = None
    """Android's group of cores: `top-app`, `background`."""
    affinity: tuple[int, ...] | None = None
    """Cores that the process may use."""
    priority: int | None = None
    """Nice value of the measuring thread, -20 to 19."""
    qos: str | None = None
    """Apple's quality of service: `user interactive`."""
    fixed_performance: bool | None = None
    """Whether the system holds clocks that it can keep for long."""

    def __post_init__(self) -> None:
        require_range(self, "t_ns", "affinity")
        require_range(self, "priority", least=-20, most=19)

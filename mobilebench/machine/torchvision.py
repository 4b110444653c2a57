"""Which torchvision belongs to the torch that is installed; timm needs it."""

from __future__ import annotations

import re
import sys
from importlib import metadata

from mobilebench.values import value

_VERSION = re.compile(r"2\.(\d+)\.(\d+)(?:\+(\w+))?")
_INDEX = "https://download.pytorch.org/whl"
# torch 2.0 came with torchvision 0.15, and each minor version since with the next one.
_AHEAD = 15


@value
class Match:
    """The torchvision for one build of torch."""

    version: str
    """Without the part that names the build."""
    build: str | None
    """What torch was built for, such as `cpu` or `cu126`; None for the build of PyPI."""

    @property
    def requirement(self) -> str:
        """The requirement for pip."""
        return f"torchvision=={self.version}{f'+{self.build}' if self.build else ''}"

    @property
    def index(self) -> str | None:
        """The package index that has this build; None for the usual one."""
        return f"{_INDEX}/{self.build}" if self.build else None

    @property
    def command(self) -> str:
        """The command that installs it. Without its dependencies: they hold another torch."""
        index = f" --index-url {self.index}" if self.index else ""
        return f"pip install --no-deps {self.requirement}{index}"

    def fits(self, installed: str) -> bool:
        """Return whether an installed version is built for this torch.

        On macOS all builds are for the CPU, whatever their names.
        """
        version, _, build = installed.partition("+")
        return version == self.version and (sys.platform == "darwin" or build == (self.build or ""))


def matching(torch: str | None = None) -> Match | None:
    """Return the torchvision for a version of torch, by default the installed one.

    None without torch, and for versions before 2.0 or between two releases.
    """
    if torch is None:
        torch = version_of("torch")
    match = _VERSION.fullmatch(torch or "")
    if match is None:
        return None
    minor, patch, build = match.groups()
    return Match(version=f"0.{int(minor) + _AHEAD}.{patch}", build=build)


def version_of(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

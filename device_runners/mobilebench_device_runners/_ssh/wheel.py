"""Pack the mobilebench that runs here as a wheel, so that a board runs the same code.

It is made from the installed packages, whether they came from an index or are being worked on. The
same sources give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from mobilebench.machine.installation import EXPORTERS, RUNNERS

_PACKAGES = ("mobilebench", EXPORTERS, RUNNERS)
_MEASURING = (
    "cryptography",
    "filelock",
    "numpy",
    "platformdirs",
    "psutil",
    "pydantic",
)
"""Requirements of mobilebench that a job imports; the others are for exporting and for tables."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__"}


def write(folder: Path) -> Path:
    """Write the wheel into a folder; return its path."""
    distribution = metadata.distribution("mobilebench")
    name = f"mobilebench-{distribution.version}"
    path = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    described = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    files = {
        **dict(_sources()),
        f"{info}/METADATA": described.encode(),
        f"{info}/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: mobilebench\nRoot-Is-Purelib: true\n"
            b"Tag: py3-none-any\n"
        ),
    }
    record = [f"{place},{_digest(content)},{len(content)}" for place, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join((*record, f"{info}/RECORD,,", "")).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for place, content in files.items():
            wheel.writestr(zipfile.ZipInfo(place, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return path


def requirements(*extras: tuple[str, str]) -> tuple[str, ...]:
    """Return what measuring needs, and one distribution of each extra.

    `extras` are pairs of an extra and the distribution of it, such as `onnx` and `onnxruntime`:
    the rest of an extra is for exporting.
    """
    needed: list[str] = []
    for line in metadata.requires("mobilebench") or ():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        words = marker.replace("'", '"').split('"')
        if "extra ==" in marker:
            wanted = any(
                extra in words and _names(requirement, distribution)
                for extra, distribution in extras
            )
        else:
            wanted = any(_names(requirement, distribution) for distribution in _MEASURING)
        if wanted:
            needed.append(requirement)
    return tuple(dict.fromkeys(needed))


def _names(requirement: str, distribution: str) -> bool:
    rest = requirement[len(distribution) :]
    return requirement.startswith(distribution) and not (rest[:1].isalnum() or rest[:1] in "-_.")


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"there is no package {package!r} to put into a wheel")
        for place in spec.submodule_search_locations:
            for path in sorted(Path(place).rglob("*")):
                below = path.relative_to(place)
                if path.is_file() and not _LEFT_OUT.intersection(below.parts):
                    yield f"{package}/{below.as_posix()}", path.read_bytes()


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest}"

"""The memory of a device: the kernel's `/proc/meminfo`."""

from __future__ import annotations

import re

MEMORY = "/proc/meminfo"


def ram_bytes_of(text: str | None) -> int | None:
    """Return the memory in bytes; None where the file does not say."""
    match = re.search(r"^MemTotal:\s+(\d{1,12}) kB$", text or "", re.MULTILINE)
    return int(match[1]) * 1024 if match else None

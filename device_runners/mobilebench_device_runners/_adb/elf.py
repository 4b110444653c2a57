"""Read from a program or a library which devices can load it: the head of an ELF file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError

_MAGIC = b"\x7fELF"
_SCRIPT = b"#!"
_HEAD_BYTES = 1 << 16
_ABIS = {3: "x86", 40: "armeabi-v7a", 62: "x86_64", 183: "arm64-v8a", 243: "riscv64"}
"""Names of Android for the machines of ELF (`e_machine`)."""
_INTERPRETER = 3
"""Type of the segment that names the program that loads this one (`PT_INTERP`)."""


@dataclass(frozen=True)
class Elf:
    """What the head of an ELF file says."""

    abi: str
    """As Android names it; a number where Android has no name for it."""
    interpreter: str | None
    """The loader that a program asks for; None for libraries and static programs."""


def require_fits(path: Path, abis: Sequence[str], *, program: bool) -> None:
    """Require a file that a device with these ABIs can load; scripts may be programs too.

    Raises `UserError`. A device that does not name its ABIs takes all.
    """
    noun = "program" if program else "library"
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_MAGIC):
        if program and head.startswith(_SCRIPT):
            return
        raise UserError(
            f"{path} is no {noun} for Android: it is not an ELF file; name the {noun} as it was "
            f"built or unpacked."
        )
    try:
        elf = read(head)
    except (struct.error, IndexError, ValueError) as error:
        raise UserError(
            f"{path} is damaged: the head of its ELF file ends early; copy it again."
        ) from error
    if abis and elf.abi not in abis:
        raise UserError(
            f"{path} is for {elf.abi}, and the device runs {', '.join(abis)}; name the {noun} that "
            f"was built for it."
        )
    if elf.interpreter is not None and "/linker" not in elf.interpreter:
        raise UserError(
            f"{path} is for {elf.abi} but not for Android: it asks for {elf.interpreter}, the "
            f"loader of another Linux; name the {noun} that was built with Android's NDK."
        )


def read(head: bytes) -> Elf:
    """Read the first bytes of an ELF file. Raises `ValueError`, `struct.error`, `IndexError`."""
    wide, little = head[4] == 2, head[5] == 1
    order = "<" if little else ">"
    (machine,) = struct.unpack_from(f"{order}H", head, 18)
    start_at, size_at, start_form = (32, 54, "Q") if wide else (28, 42, "I")
    (start,) = struct.unpack_from(order + start_form, head, start_at)
    size, count = struct.unpack_from(f"{order}HH", head, size_at)
    interpreter = None
    for segment in range(count):
        at = start + segment * size
        (kind,) = struct.unpack_from(f"{order}I", head, at)
        if kind != _INTERPRETER:
            continue
        place = at + (8 if wide else 4)
        length = at + (32 if wide else 16)
        (offset,) = struct.unpack_from(order + start_form, head, place)
        (bytes_,) = struct.unpack_from(order + start_form, head, length)
        interpreter = head[offset : offset + bytes_].rstrip(b"\0").decode("ascii", "replace")
    return Elf(_ABIS.get(machine, f"machine {machine}"), interpreter)

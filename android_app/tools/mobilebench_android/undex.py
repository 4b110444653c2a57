"""Turn a dex file back into class files.

Run it as a program with enjarify on the module path.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from enjarify import dalvikformats
from enjarify.jvm.optimization import options
from enjarify.main import translate

from mobilebench_android.jars import entry

_CONST_WIDE_32 = 0x17
_decode = dalvikformats.decode


def _decoded(shorts: list[int], position: int, opcode: int) -> tuple[int, list[int]]:
    """Decode an instruction. enjarify 1.0.3 takes a negative const-wide/32 for a positive one."""
    end, values = _decode(shorts, position, opcode)
    if opcode == _CONST_WIDE_32:
        values[-1] = dalvikformats.sign(values[-1], 32)
    return end, values


def main(dex: str, jar: str) -> None:
    """Write the classes of a dex file as a jar; an error in one class ends the program."""
    dalvikformats.decode = _decoded
    classes, _ = translate(Path(dex).read_bytes(), options.NONE, allowErrors=False)
    with zipfile.ZipFile(jar, "w") as out:
        for name in sorted(classes):
            out.writestr(entry(name), classes[name])


if __name__ == "__main__":
    main(*sys.argv[1:])

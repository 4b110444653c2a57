"""Nothing in a pickle runs, whatever it asks for; what it describes is still read."""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mobilebench.errors import CheckpointError
from mobilebench.zoo import load_checkpoint, saved
from mobilebench.zoo.pickles import MalformedPickle, Named, PickleReader, StandIn

Write = Callable[[Path, bytes], Path]


def in_archive(path: Path, content: bytes) -> Path:
    """Write a pickle as the checkpoint of today's torch.save."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", bytes(32))
    return path


def in_older(path: Path, content: bytes) -> Path:
    """Write a pickle as the checkpoint of torch.save before version 1.6."""
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    before = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    # Its storages have to be those that the pickle refers to.
    if b"storage" in content:
        after = pickle.dumps(["0"], protocol=2) + struct.pack("<q", 8) + bytes(32)
    else:
        after = pickle.dumps([], protocol=2)
    path.write_bytes(before + content + after)
    return path


FORMATS = pytest.mark.parametrize("write", [in_archive, in_older])

_DANGEROUS = ("os.", "exec", "compile", "import", "subprocess.", "socket.", "pickle.", "shutil.")
_events: list[str] = []
_watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.startswith(_DANGEROUS):
        _events.append(f"{event} {arguments[:1]}")


sys.addaudithook(_audit)


@contextmanager
def _nothing_runs(folder: Path) -> Iterator[None]:
    """Watch what Python itself reports: imports, processes, code, changed files."""
    global _watching
    with pytest.raises(CheckpointError):  # imports whatever the loader imports late
        load_checkpoint(nn.Conv2d(1, 1, 1), in_archive(folder / "first.pth", b"Vx\n."))
    _events.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
    assert _events == []


class _Reduced:
    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return self._parts


def _payloads(marker: Path) -> dict[str, bytes]:
    """Return pickles that make a folder where `pickle.loads` reads them."""
    made = f"V{marker}\n".encode()
    code = f"V__import__('os').mkdir({str(marker)!r})\n".encode()
    mkdir = b"cos\nmkdir\n"
    return {
        "reduce": pickle.dumps(_Reduced(os.mkdir, (str(marker),))),
        "in a dictionary": pickle.dumps({"hook": [_Reduced(os.mkdir, (str(marker),))]}),
        "system": b"cos\nsystem\n(Vmkdir " + str(marker).encode() + b"\ntR.",
        "exec": b"cbuiltins\nexec\n(" + code + b"tR.",
        "eval": b"c__builtin__\neval\n(" + code + b"tR.",
        "getattr": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(Vos\ntRVmkdir\ntR("
        + made
        + b"tR.",
        "inst": b"(" + made + b"ios\nmkdir\n.",
        "obj": b"(" + mkdir + made + b"o.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93(" + made + b"tR.",
        "partial": b"cfunctools\npartial\n(" + mkdir + made + b"tR)R.",
        "map": b"cbuiltins\nlist\n(cbuiltins\nmap\n(" + mkdir + b"(" + made + b"ltRtR.",
        "subprocess": b"csubprocess\ncheck_call\n((Vmkdir\n" + made + b"ltR.",
        "rebuilder": b"ctorch._tensor\n_rebuild_from_type_v2\n("
        + mkdir
        + b"cbuiltins\nobject\n("
        + made
        + b"tNtR.",
        "in a memo": b"(" + made + b"tq\x00" + mkdir + b"h\x00R.",
    }


@FORMATS
@pytest.mark.parametrize("name", _payloads(Path("any")))
def test_what_pickle_would_run_is_not_run(write: Write, name: str, tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    payload = _payloads(marker)[name]
    # The rebuilding function fails, but only after it called its argument.
    with pytest.raises(AttributeError) if name == "rebuilder" else nullcontext():
        pickle.loads(payload)
    assert marker.is_dir()  # so the payload is a real one
    marker.rmdir()
    model = nn.Conv2d(1, 1, 1)
    with _nothing_runs(tmp_path), pytest.raises(CheckpointError, match="not a dictionary|missing"):
        load_checkpoint(model, write(tmp_path / "w.pth", payload))
    assert not marker.exists()


@FORMATS
def test_a_registered_extension_is_refused(write: Write, tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    copyreg.add_extension("os", "mkdir", 77)
    try:
        payload = b"\x82M" + f"(V{marker}\ntR.".encode()
        with pytest.raises(CheckpointError):
            load_checkpoint(nn.Conv2d(1, 1, 1), write(tmp_path / "w.pth", payload))
    finally:
        copyreg.remove_extension("os", "mkdir", 77)
    assert not marker.exists()


_NAMES = (
    """
os system, os mkdir, builtins exec, builtins eval, builtins getattr, builtins __import__,
copyreg __newobj__, operator methodcaller, collections OrderedDict, collections Counter,
collections defaultdict, builtins set, torch Size, torch float32, torch FloatStorage, torch load,
torch.storage UntypedStorage, torch._utils _rebuild_tensor_v2, torch._utils _rebuild_tensor_v3,
torch._utils _rebuild_parameter, torch._tensor _rebuild_from_type_v2, __main__ Config,
torch.nn.modules.conv Conv2d
""".replace("\n", " ")
    .strip()
    .split(", ")
)


_OF_PROGRAMS = (MalformedPickle, LookupError, TypeError, ValueError)
"""What instructions raise that find another stack or memo than they need."""


def _random_instruction(rng: random.Random) -> bytes:
    literals = b"N\x88\x89])}\x8f((((02"
    builders = b"RRRRRR\x81\x92QbbatuesdleooltT\x85\x86\x87\x90\x91\x93\x94"
    match rng.randrange(8):
        case 0:
            return bytes([rng.choice(literals)])
        case 1 | 2 | 3:
            return bytes([rng.choice(builders)])
        case 4:
            return f"c{rng.choice(_NAMES)}\n".replace(" ", "\n").encode()
        case 5:
            text = rng.choice(["storage", "module", "0", "cpu", "_parameters", "echo"])
            return f"V{text}\n".encode()
        case 6:
            number = rng.choice([0, 1, -1, 8, 32, 2**31, 2**63, 10**30])
            return f"L{number}L\n".encode()
        case _:
            return rng.choice([b"q", b"h"]) + bytes([rng.randrange(3)])


@FORMATS
def test_random_programs_run_nothing_and_end_in_one_sentence(write: Write, tmp_path: Path) -> None:
    rng, model, path = random.Random(0), nn.Conv2d(1, 1, 1), tmp_path / "w.pth"
    read = 0
    with _nothing_runs(tmp_path):
        for _ in range(1500):
            # Enough on the stack at first that instructions find something.
            start = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nL8L\n" + rng.choice([b"N", b""])
            program = b"".join(_random_instruction(rng) for _ in range(rng.randrange(1, 25)))
            content = rng.choice([b"", start + b"tQ"]) + program + b"."
            with pytest.raises(CheckpointError):
                load_checkpoint(model, write(path, content))
            with suppress(*_OF_PROGRAMS):
                PickleReader(io.BytesIO(content), {}, lambda reference: reference).read()
                read += 1
    assert read > 50  # so programs get to their end too


@FORMATS
@pytest.mark.parametrize(
    "arguments",
    [
        b"NL0L\n(L1L\nt(L1L\nt\x89N",
        b"cos\nsystem\nL0L\n(L1L\nt(L1L\nt\x89N",
        b"STORAGEL0L\n(L1000000000L\nt(L1L\nt\x89N",
        b"STORAGEL-1L\n(L1L\nt(L1L\nt\x89N",
        b"STORAGEL6L\n(L2L\nt(L-1L\nt\x89N",
        b"STORAGEL7L\n(L2L\nt(L1L\nt\x89N",
        b"STORAGEL0L\n(L2L\nL2L\nt(L1L\nt\x89N",
        b"STORAGEVx\nVy\nVz\n\x89N",
        b"STORAGE",
        b"",
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
def test_tensors_outside_of_their_storage_are_refused(
    write: Write, arguments: bytes, tmp_path: Path
) -> None:
    view = b"N" if write is in_older else b""
    storage = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nL8L\n" + view + b"tQ"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments.replace(b"STORAGE", storage) + b"tR"
    )
    path = write(tmp_path / "w.pth", b"(Vweight\n" + tensor + b"d.")
    with pytest.raises(CheckpointError, match="not a file that torch.save wrote"):
        load_checkpoint(nn.Conv2d(1, 1, 1), path)


@FORMATS
def test_a_storage_larger_than_the_file_is_not_allocated(write: Write, tmp_path: Path) -> None:
    view = b"N" if write is in_older else b""
    content = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nL1000000000000000L\n" + view + b"tQ."
    with pytest.raises(CheckpointError, match="not a file that torch.save wrote"):
        load_checkpoint(nn.Conv2d(1, 1, 1), write(tmp_path / "w.pth", content))


@FORMATS
@pytest.mark.parametrize(
    "content",
    [
        b"]" * 100_000 + b"a" * 99_999 + b".",
        b")" + b"\x85" * 100_000 + b".",
        b")" + b"2\x86" * 60 + b"q\x00}h\x00Ns.",
        b"}q\x00Vstate_dict\nh\x00s.",
        b"r\xff\xff\xff\xff.",
        b"Nr\xff\xff\xff\xff.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ],
    ids=["lists", "tuples", "hash without end", "in itself", "memo", "far memo", "long"],
)
def test_pickles_made_to_exhaust_a_reader_end_in_one_sentence(
    write: Write, content: bytes, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError):
        load_checkpoint(nn.Conv2d(1, 1, 1), write(tmp_path / "w.pth", content))


class _Slotted:
    __slots__ = ("width",)


class _Dictionary(dict[str, int]):
    pass


def _slotted() -> _Slotted:
    instance = _Slotted()
    instance.width = 3
    return instance


@pytest.mark.parametrize("protocol", range(2, 6))
def test_objects_become_what_the_pickle_says_about_them(protocol: int) -> None:
    plain = {"plain": [1, 2.5, None, True, ("x",)]}
    content = (_Slotted, _Dictionary(a=1), plain, {1, 2}, _slotted())
    data = pickle.dumps(content, protocol=protocol)
    cls, dictionary, same, numbers, slotted = PickleReader(io.BytesIO(data), {}).read()
    assert cls == Named(__name__, "_Slotted")
    assert isinstance(dictionary, StandIn) and dictionary.items == {"a": 1}
    assert same == plain
    assert isinstance(numbers, StandIn) and "set" in numbers.kind
    assert slotted.attributes == {"width": 3}


def test_a_pickle_that_refers_to_something_outside_needs_a_reader_for_it() -> None:
    with pytest.raises(MalformedPickle, match="outside"):
        PickleReader(io.BytesIO(b"P0\n."), {}).read()


def _plain(rng: random.Random, depth: int = 0) -> Any:
    match rng.randrange(9 if depth < 4 else 6):
        case 0:
            return rng.choice([None, True, False])
        case 1:
            return rng.choice([0, -1, 255, 256, 65_536, 2**31, -(2**40), 10**30])
        case 2:
            return rng.random()
        case 3 | 4:
            return "".join(rng.choice("aé€\n😀.") for _ in range(rng.randrange(300)))
        case 5:
            return torch.rand(rng.randrange(4), rng.randrange(4))
        case 6:
            return [_plain(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 7:
            return tuple(_plain(rng, depth + 1) for _ in range(rng.randrange(4)))
        case _:
            return {f"k{n}": _plain(rng, depth + 1) for n in range(rng.randrange(4))}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, list | tuple):
        same = type(one) is type(other) and len(one) == len(other)
        return same and all(map(_equal, one, other))
    if isinstance(one, dict):
        same = isinstance(other, dict) and list(one) == list(other)
        return same and all(_equal(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "older"])
def test_plain_data_comes_back_as_it_was_saved(archive: bool, tmp_path: Path) -> None:
    rng, path = random.Random(1), tmp_path / "w.pth"
    torch.manual_seed(0)
    for number in range(150):
        content = [_plain(rng) for _ in range(4)]
        torch.save(
            content,
            path,
            pickle_protocol=2 + number % 4,
            _use_new_zipfile_serialization=archive,
        )
        assert _equal(content, saved.read(path))

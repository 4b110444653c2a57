"""Read files that torch.save wrote as plain data and tensors; none of their code runs.

    archive (torch 1.6 and later)   a zip file: FOLDER/data.pkl, FOLDER/data/KEY, one per storage
    older                           five pickles in a row, then the storages

`torch.load(weights_only=True)` reads the same files and refuses each that names an unknown class,
as the checkpoints of training loops do beside their tensors.
"""

from __future__ import annotations

import io
import mmap
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
from torch import Tensor

from mobilebench.errors import CheckpointError
from mobilebench.zoo.pickles import MalformedPickle, Named, PickleReader, StandIn, pairs_of

_UNREADABLE = (
    "The checkpoint {path} is not a file that torch.save wrote, or it was cut off; compare its "
    "size with the original and fetch it again."
)
_OLD_MAGIC = 0x1950A86A20F9469CFC6C
_OLD_PROTOCOL = 1001


def read(path: Path) -> Any:
    """Read a file as mappings, lists, numbers, texts, tensors and a `StandIn` for all else.

    Raises `CheckpointError` for a file that is cut off or damaged, and for one that torch.save did
    not write.
    """
    try:
        # An archive states the checksums of its parts; older files have none.
        return _read_archive(path) if zipfile.is_zipfile(path) else _read_older(path)
    except CheckpointError:
        raise
    except Exception as error:
        # Damaged files raise two dozen kinds of error, from zipfile to a tensor out of bounds.
        raise CheckpointError(_UNREADABLE.format(path=path)) from error


@dataclass(frozen=True)
class _Storage:
    """The bytes of a storage, (N,) uint8, and the type that a pickle reads them as."""

    content: Tensor
    dtype: torch.dtype


def _read_archive(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names, damaged = archive.namelist(), archive.testzip()
        if damaged is not None:
            raise CheckpointError(
                f"The checkpoint {path} is damaged: the checksum of its part {damaged} does not "
                f"match; fetch it again."
            )
        if any(name.endswith("/constants.pkl") for name in names):
            raise CheckpointError(
                f"{path} is a TorchScript archive, a program rather than a checkpoint; load it "
                f"with torch.jit.load, save its state_dict() with torch.save, and give that file."
            )
        [pickle] = [name for name in names if name.partition("/")[2] == "data.pkl"]
        folder = pickle.removesuffix("data.pkl")
        order = f"{folder}byteorder"
        swapped = order in names and archive.read(order) != sys.byteorder.encode()
        storages: dict[str, Tensor] = {}

        def storage(reference: Any) -> _Storage:
            word, kind, key, _, count = reference
            dtype = _dtype_of_storage(kind)
            if word != "storage":
                raise MalformedPickle(f"a reference to a {word}")
            if key not in storages:
                content = _part(archive, f"{folder}data/{key}")
                if len(content) != count * dtype.itemsize:
                    raise MalformedPickle("a storage of another size than its pickle states")
                storages[key] = _swapped(content, dtype) if swapped else content
            return _Storage(storages[key], dtype)

        return PickleReader(io.BytesIO(archive.read(pickle)), _CONSTRUCTORS, storage).read()


def _part(archive: zipfile.ZipFile, name: str) -> Tensor:
    content = bytearray(archive.read(name))
    return torch.frombuffer(content, dtype=torch.uint8) if content else torch.empty(0).byte()


def _swapped(content: Tensor, dtype: torch.dtype) -> Tensor:
    """Return bytes that a machine of the other byte order wrote in this one's order."""
    # A complex number is two numbers.
    width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    return content.reshape(-1, width).flip(1).reshape(-1).contiguous()


def _read_older(path: Path) -> Any:
    # A map rather than a file, because it reads no further than its end, whatever length a pickle
    # states. Its bytes are copied into the tensors.
    with (
        path.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        file = cast(IO[bytes], content)
        storages: dict[str, _Storage] = {}
        views: dict[str, _Storage] = {}

        def referenced(reference: Any) -> Any:
            word, *data = reference
            if word == "module":  # a class, with its source code
                return data[0]
            kind, key, _, count, view = data
            if word != "storage":
                raise MalformedPickle(f"a reference to a {word}")
            dtype = _dtype_of_storage(kind)
            size = count * dtype.itemsize
            if key not in storages:
                if not 0 <= size <= len(content):
                    raise MalformedPickle("a storage that is larger than the file")
                storages[key] = _Storage(torch.empty(size, dtype=torch.uint8), dtype)
            whole = storages[key]
            if view is None:
                return whole
            view_key, offset, length = view
            start, end = offset * dtype.itemsize, (offset + length) * dtype.itemsize
            if not 0 <= start <= end <= len(whole.content):
                raise MalformedPickle("a view that is larger than its storage")
            return views.setdefault(view_key, _Storage(whole.content[start:end], dtype))

        if PickleReader(file, {}).read() != _OLD_MAGIC:
            raise MalformedPickle("no magic number")
        if PickleReader(file, {}).read() != _OLD_PROTOCOL:
            raise MalformedPickle("another version")
        PickleReader(file, {}).read()  # about the machine; storages are little-endian everywhere
        saved = PickleReader(file, _CONSTRUCTORS, referenced).read()
        keys = PickleReader(file, {}).read()
        if set(keys) != storages.keys():
            raise MalformedPickle("other storages than its pickle refers to")
        for key in keys:
            _fill(storages[key], file)
        return saved


def _fill(storage: _Storage, file: IO[bytes]) -> None:
    (count,) = struct.unpack("<q", file.read(8))
    size = len(storage.content)
    if count * storage.dtype.itemsize != size:
        raise MalformedPickle("a storage of another size than its pickle states")
    content = file.read(size)
    if len(content) != size:
        raise MalformedPickle("the last storage ends early")
    storage.content.numpy()[:] = np.frombuffer(content, dtype=np.uint8)
    if sys.byteorder == "big":
        storage.content.copy_(_swapped(storage.content, storage.dtype))


def _dtype_of_storage(kind: Any) -> torch.dtype:
    """Return the type that a storage class stands for, such as `torch.FloatStorage`."""
    if isinstance(kind, Named) and kind.module in ("torch", "torch.cuda", "torch.storage"):
        dtype = _STORAGE_TYPES.get(kind.name)
        if dtype is not None:
            return dtype
    raise MalformedPickle(f"a storage of {kind}")


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *about: Any) -> Tensor | StandIn:
    """Return the view of a storage that a tensor is.

    `about` is whether it needs a gradient, its hooks, and its metadata where it is conjugated or
    negated lazily; such a tensor is no plain view.
    """
    if not isinstance(storage, _Storage):
        raise MalformedPickle("a tensor without a storage")
    if any(about[2:]):
        return StandIn("a conjugated or negated torch.Tensor")
    return _view(storage.content, storage.dtype, offset, size, stride)


def _tensor_of_type(
    storage: Any, offset: int, size: Any, stride: Any, *about: Any
) -> Tensor | StandIn:
    """Return a tensor whose type has no storage class, such as torch.uint16."""
    _, _, dtype, *metadata = about
    name = dtype.name if isinstance(dtype, Named) and dtype.module == "torch" else ""
    actual = getattr(torch, name, None) if name in _TYPE_NAMES else None
    if not isinstance(storage, _Storage) or not isinstance(actual, torch.dtype):
        raise MalformedPickle("a tensor without a storage or a type")
    if any(metadata):
        return StandIn("a conjugated or negated torch.Tensor")
    return _view(storage.content, actual, offset, size, stride)


def _view(content: Tensor, dtype: torch.dtype, offset: int, size: Any, stride: Any) -> Tensor:
    """Return a view; PyTorch itself refuses one that is larger than the storage."""
    size, stride = tuple(size), tuple(stride)
    if 0 in size:  # of an empty storage, which no element is read from
        return torch.empty(size, dtype=dtype)
    flat = content.view(dtype)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if not 0 <= offset <= last < len(flat) or min(stride, default=0) < 0:
        raise MalformedPickle("a tensor that is larger than its storage")
    return flat.as_strided(size, stride, flat.storage_offset() + offset)


def _parameter(data: Any, *_: Any) -> Any:
    """Return the tensor of a parameter, without its hooks and attributes."""
    return data


def _subclass(function: Any, _: Any, arguments: Any, *__: Any) -> Any:
    """Return the plain tensor of a subclass, or of a tensor with attributes."""
    inner = _REBUILDERS.get(str(function)) if isinstance(function, Named) else None
    if inner is None:
        return StandIn("a subclass of torch.Tensor")
    return inner(*arguments)


def _set(members: Any = ()) -> StandIn:
    return StandIn("builtins.set", members=list(members))


def _mapping(*arguments: Any) -> dict[Any, Any]:
    return pairs_of(arguments[-1]) if arguments else {}


def _default_mapping(_: Any = None, content: Any = ()) -> dict[Any, Any]:
    return pairs_of(content)


def _size(sizes: Any = ()) -> tuple[Any, ...]:
    return tuple(sizes)


_REBUILDERS: Mapping[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_type,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _parameter,
}
_CONSTRUCTORS: Mapping[str, Callable[..., Any]] = {
    **_REBUILDERS,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch.Size": _size,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "collections.defaultdict": _default_mapping,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "__builtin__.set": _set,
    "__builtin__.frozenset": _set,
}
"""All that a file may call; each is a function of this module and builds plain data."""
_STORAGE_TYPES: Mapping[str, torch.dtype] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "UntypedStorage": torch.uint8,
    # Only quantized tensors refer to these, which are read as stand-ins.
    "QInt8Storage": torch.int8,
    "QUInt8Storage": torch.uint8,
    "QInt32Storage": torch.int32,
    "QUInt4x2Storage": torch.uint8,
    "QUInt2x4Storage": torch.uint8,
}
_TYPE_NAMES = frozenset(
    name for name, value in vars(torch).items() if isinstance(value, torch.dtype)
)

"""Keep the text of a document in few bytes: zstd, with a dictionary of what records repeat."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import zstandard

from mobilebench.errors import SchemaError

LARGEST_BYTES = 1 << 30
"""Of a text; a damaged or foreign frame may state more, and would fill the memory."""
_LEVEL = 1
"""With the dictionary, level 3 saves 1 % more and takes five times as long."""
_DICTIONARY = Path(__file__).with_name("records-1.zdict")
"""Never changed: stores are read with it. Another one gets another number, and its own id."""
_local = threading.local()


def pack(text: str) -> bytes:
    """Return a text as one zstd frame, which names its dictionary and holds a checksum."""
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(), write_checksum=True
        )
    packed: bytes = compressor.compress(text.encode())
    return packed


def unpack(packed: object, what: str) -> str:
    """Return the text of a frame. Raises `SchemaError`, naming `what`, for a damaged one."""
    if not isinstance(packed, bytes | memoryview | bytearray):
        raise SchemaError(f"{what} is damaged: it is not a zstd frame.")
    decompressor = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary())
    try:
        stated = zstandard.get_frame_parameters(packed).content_size
        if not 0 <= stated <= LARGEST_BYTES:
            raise SchemaError(f"{what} is damaged: its frame states a size of {stated} bytes.")
        text: bytes = decompressor.decompress(packed)
        return text.decode()
    except (zstandard.ZstdError, ValueError) as error:
        raise SchemaError(f"{what} is damaged: {error}.") from error


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(_DICTIONARY.read_bytes())

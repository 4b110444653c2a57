"""Train the zstd dictionary that documents are packed with in the store.

    python benchmarks/record_dictionary.py mobilebench/store/records-1.zdict

A dictionary that has been used is never replaced: stores are read with it. Another one gets another
number, in its name and in itself.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import zstandard
from made_records import CELLS, record

from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.record import Record

_BYTES = 32 << 10
_RECORDS = 3000
_ID = 0x6D620001
"""`mb`, 1: the numbers below 32768 are kept for dictionaries that are registered."""


def _failed(of: Record) -> Record:
    failure = Failure(stage=Stage.LOAD, error="RuntimeError", message="no such operator")
    return replace(of, outcome=failure)


def main() -> None:
    """Train on made-up records, and write the dictionary."""
    texts = []
    for number in range(_RECORDS):
        one = record(number * 7919 % CELLS, 12 + number % 30)
        one = signing.sign(one) if number % 3 else _failed(one)
        texts.append(wire.dumps(one).encode())
    trained = zstandard.train_dictionary(_BYTES, texts, dict_id=_ID, level=3)
    Path(sys.argv[1]).write_bytes(trained.as_bytes())
    print(f"{len(trained.as_bytes())} bytes from {sum(map(len, texts))}")


if __name__ == "__main__":
    main()

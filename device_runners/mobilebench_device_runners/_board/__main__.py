"""What a board runs.

    python -m mobilebench_device_runners._board check RUNTIME
    python -m mobilebench_device_runners._board perform FOLDER ID
    python -m mobilebench_device_runners._board predict RUNTIME THREADS MODEL INPUTS OUTPUTS

The computer starts it by SSH and reads what it writes; see `mobilebench_device_runners.ssh`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mobilebench_device_runners._board import jobs


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit status."""
    verb, *rest = arguments
    return _VERBS[verb](*rest)


def _check(runtime: str) -> int:
    sys.stdout.write(f"{jobs.runtime_named(runtime)().version()}\n")
    return 0


def _perform(folder: str, identity: str) -> int:
    return jobs.perform(Path(folder), identity)


def _predict(runtime: str, threads: str, model: str, inputs: str, outputs: str) -> int:
    version = jobs.predict(runtime, int(threads), Path(model), Path(inputs), Path(outputs))
    sys.stdout.write(f"{version}\n")
    return 0


_VERBS: dict[str, Callable[..., int]] = {
    "check": _check,
    "perform": _perform,
    "predict": _predict,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

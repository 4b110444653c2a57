"""Mark the errors of toolkits that occur while a network is quantized."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mobilebench.errors import MobilebenchError, QuantizationFailed


@contextmanager
def quantizing() -> Iterator[None]:
    """Raise a toolkit's error as `QuantizationFailed`, from that error.

    The network itself was converted by then, so another precision may work. A disk that is full
    has nothing to do with it.
    """
    try:
        yield
    except (MobilebenchError, OSError):
        raise
    except Exception as error:
        raise QuantizationFailed(str(error)) from error

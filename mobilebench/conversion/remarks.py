"""Leave out what toolkits remark about themselves in the caller's process.

A child process has a log for it. Here it would stand among the caller's own output, as if the
caller could do something about it. Only the remarks below are left out.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGED = {
    # Operators of torchvision, which the network has only where torchvision is installed.
    "torch.onnx._internal.exporter._registration": ("torchvision is not installed. Skipping",),
    # torchao 0.18 registers an enum that torch 2.13 knows by itself.
    "torch.utils._pytree": ("is an Enum subclass and is now natively supported",),
    # Kernels for GPUs, which no conversion uses.
    "torchao": ("Failed to load ",),
    # The versions of requirements.txt work together; the proxies exist on macOS only.
    "coremltools": ("has not been tested with coremltools", "Failed to load _ML"),
}
"""Parts of messages, by the logger that writes them."""
# torch.export keeps using its own deprecated pytree registration in 2.13.
_WARNED = r"`isinstance\(treespec, LeafSpec\)` is deprecated"


@contextmanager
def left_out() -> Iterator[None]:
    """Drop the known remarks of toolkits while the context lasts; everything else is shown."""
    loggers = [logging.getLogger(name) for name in _LOGGED]
    for logger in loggers:
        logger.addFilter(_is_news)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _WARNED, FutureWarning)
            yield
    finally:
        for logger in loggers:
            logger.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not any(part in message for part in _LOGGED[record.name])

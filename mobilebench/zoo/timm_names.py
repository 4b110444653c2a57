"""The names of timm's models, read from its source.

Importing timm takes seconds and needs torch and torchvision.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\ndef (\w+)\(", re.MULTILINE)


@cache
def timm_models() -> tuple[str, ...]:
    """Return the models of the timm that is installed, by name; none where there is no timm."""
    spec = importlib.util.find_spec("timm")
    places = spec.submodule_search_locations if spec is not None else None
    names: set[str] = set()
    for place in places or ():
        for path in (Path(place) / "models").glob("*.py"):
            names.update(_REGISTERED.findall(path.read_text(encoding="utf-8")))
    return tuple(sorted(names))


def in_timm(name: str) -> bool:
    """Return whether timm has a model of this name; what follows a dot names its weights."""
    return name.partition(".")[0] in timm_models()

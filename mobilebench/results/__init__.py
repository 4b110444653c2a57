"""Derive what the samples of a record come to, so that a board need not read them again."""

from __future__ import annotations

from mobilebench.results.entry import VERSION, Entry
from mobilebench.results.figures import Figures, figures

__all__ = ["VERSION", "Entry", "Figures", "figures"]

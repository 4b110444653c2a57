"""Regressions: whether one set of records is slower, larger or worse than another.

`gate.check` compares two sets, `baselines` chooses what to compare with, and `noise` measures how
small a change a device can show.
"""

from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.gate import Report, check
from mobilebench.regress.rule import Rule

__all__ = ["Comparison", "Report", "Rule", "Verdict", "check"]

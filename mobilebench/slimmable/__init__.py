"""Cut networks to a width: the leading channels of one set of shared weights.

`extract` returns the network of a width as an ordinary network. `SharedNetwork` runs the widths on
their shared weights, for training. `recalibrate` gives a width its own statistics of BatchNorm. The
idea is that of slimmable networks (Yu et al. 2019, arXiv:1812.08928) and of US-Nets (Yu and Huang
2019, arXiv:1903.05134).
"""

from __future__ import annotations

from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.norms import recalibrate, recalibrate_on
from mobilebench.slimmable.shared import SharedNetwork
from mobilebench.values.width import Width

__all__ = ["SharedNetwork", "Width", "extract", "recalibrate", "recalibrate_on"]

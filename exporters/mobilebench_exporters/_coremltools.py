"""Import coremltools without the packages that it only looks for.

coremltools imports scikit-learn, transformers and XGBoost wherever they are installed, to learn
that they are. Nothing here converts from them, and they take a quarter of its import. One that is
imported already stays what it is, and each can be imported afterwards. ExecuTorch is not hidden:
its Core ML delegate needs coremltools to know of it.
"""

from __future__ import annotations

import sys

if "coremltools" not in sys.modules:
    names = ("sklearn", "transformers", "xgboost")
    # None is how Python notes that a module cannot be imported.
    hidden: dict[str, None] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        import coremltools  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]

import coremltools as ct

__all__ = ["ct"]

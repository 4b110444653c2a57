"""Build and check the Android app: `python android_app/tools/build.py --help`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from mobilebench_android.program import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())

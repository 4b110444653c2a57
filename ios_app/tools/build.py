"""Build and check the iOS app: `python ios_app/tools/build.py --help`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "android_app" / "tools"), str(ROOT)]

from mobilebench_ios.program import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())

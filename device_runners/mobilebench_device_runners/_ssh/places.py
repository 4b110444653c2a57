"""Where things lie on a board: one folder of the user's, which can be removed as a whole."""

from __future__ import annotations

ROOT = ".local/share/mobilebench-board"
"""Below the home folder."""
HEAD = f'umask 077; export LC_ALL=C; root="$HOME/{ROOT}"\n'
"""What every script begins with."""
WITH_CODE = """
export PYTHONPATH="$root/code/$2" PYTHONNOUSERSITE=1
export MOBILEBENCH_KEY="$root/device.key" XDG_CACHE_HOME="$root/cache"
"""
"""Puts the mobilebench of the folder $2 in force; what runtimes keep stays in the same folder."""

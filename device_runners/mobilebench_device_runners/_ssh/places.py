"""Where things lie on a board: one folder of the user's, which can be removed as a whole."""

from __future__ import annotations

ROOT = ".local/share/mobilebench-board"
"""Below the home folder."""
HEAD = f'umask 077; export LC_ALL=C; root="$HOME/{ROOT}"\n'
"""What every script begins with."""

"""Files of jobs on this computer, by the sha256 of their content."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

import platformdirs

from mobilebench.files import only_one, writing
from mobilebench.submitting.answers import StoredFile
from mobilebench.submitting.client import Server, file_sha256

_UNUSED_S = 14 * 24 * 3600.0


class Cache:
    """A folder of files that several agents may use at the same time."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder, by default one in the user's cache."""
        self.folder = folder or platformdirs.user_cache_path("mobilebench") / "files-of-jobs"

    def file(
        self,
        server: Server,
        wanted: StoredFile,
        progress: Callable[[int], object] = int,
        cancel: Event | None = None,
    ) -> Path:
        """Return a file, which comes from the server where it is not there or was changed.

        What an earlier call had not finished goes on. Raises as `Server.download` does, `Cancelled`
        while another process downloads it and the event is set.
        """
        place = self.folder / wanted.sha256
        with only_one(place, lambda: None, cancel or Event()):
            if not self._is_whole(place, wanted.sha256):
                partial = place.with_name(f"{place.name}.part")
                server.download(wanted.sha256, wanted.size_bytes, partial, progress)
                with writing(place):
                    partial.replace(place)
            with suppress(OSError):
                place.touch()
        return place

    def sweep(self) -> None:
        """Remove what no job has used for two weeks."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > _UNUSED_S:
                    path.unlink()

    def _is_whole(self, place: Path, sha256: str) -> bool:
        return place.is_file() and file_sha256(place) == sha256

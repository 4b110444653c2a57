"""The git repository around a folder: its commits, and a checkout of one for a while."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mobilebench.errors import UserError
from mobilebench.values import value

_PREFIX = "mobilebench-baseline-"
_TREE = "tree"
_LOCK = "lock"
_LIMIT_S = 1800
"""Seconds for one command of git; a fetch of a large repository takes minutes."""
_TEST_MERGE = re.compile(r"Merge [0-9a-f]{40} into [0-9a-f]{40}")
"""Subject of the commit that GitHub makes to test a pull request."""


@value
class Commit:
    """A commit, as reports name it."""

    sha: str
    short: str
    subject: str

    @property
    def title(self) -> str:
        """Return the short hash and the subject, in one line."""
        return f"{self.short} ({self.subject})"


@dataclass(frozen=True)
class Repository:
    """A working tree of a repository, and the folder in it that the caller stands in."""

    root: Path
    inside: Path
    """The caller's folder, relative to the root."""

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """Find the repository. Raises `UserError` where there is none."""
        root = _git(folder, "rev-parse", "--show-toplevel").strip()
        prefix = _git(folder, "rev-parse", "--show-prefix").strip()
        return cls(Path(root), Path(prefix))

    def head(self) -> Commit:
        """Return the commit that is checked out; of a test merge, the commit that is merged."""
        commit = self._commit("HEAD")
        if _TEST_MERGE.fullmatch(commit.subject) and self._has("HEAD^2"):
            return self._commit("HEAD^2")
        return commit

    def tracks(self, path: Path) -> bool:
        """Return whether git tracks a file, or anything in a folder, relative to the root."""
        return bool(self._run("ls-files", "--", f":(top,literal){path.as_posix()}").strip())

    def changed(self) -> bool:
        """Return whether tracked files differ from the commit that is checked out."""
        return bool(self._run("status", "--porcelain", "--untracked-files=no").strip())

    def baseline(self, ref: str | None, target: str | None) -> Commit | None:
        """Return the commit of a ref; without one, the target branch or the commit before.

        What a shallow clone lacks is fetched. None where the first commit of all has none before
        it. Raises `UserError` for a ref that does not exist.
        """
        wanted = ref or (f"origin/{target}" if target else "HEAD^")
        if self._has(wanted):
            return self._commit(wanted)
        shallow = self._run("rev-parse", "--is-shallow-repository").strip() == "true"
        if wanted == "HEAD^" and not shallow:
            return None
        if re.search(r"[~^]", wanted):
            steps = 1 + sum(int(count or 1) for count in re.findall(r"[~^](\d*)", wanted))
            head = self._run("rev-parse", "HEAD").strip()
            self._fetch(wanted, "--depth", str(steps), "origin", head)
            if wanted == "HEAD^" and not self._has(wanted):
                return None
            return self._commit(wanted)
        self._fetch(wanted, "--depth", "1", "origin", wanted.removeprefix("origin/"))
        return self._commit("FETCH_HEAD")

    @contextmanager
    def worktree(self, commit: Commit) -> Iterator[Path]:
        """Yield a checkout of a commit, which is removed when the block ends.

        What killed processes left behind is removed first.
        """
        self._sweep()
        with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            tree = folder / _TREE
            # Tells a later run that this one lives; the system ends it with the process.
            with FileLock(folder / _LOCK):
                try:
                    self._run("worktree", "add", "--quiet", "--detach", str(tree), commit.sha)
                    if (tree / ".gitmodules").is_file():
                        _git(tree, "submodule", "--quiet", "update", "--init", "--recursive")
                    yield tree
                finally:
                    self._remove(tree)

    def _sweep(self) -> None:
        """Remove checkouts whose process is gone, whether or not their folder still exists."""
        for line in self._run("worktree", "list", "--porcelain").splitlines():
            tree = Path(line.removeprefix("worktree "))
            folder = tree.parent
            if not line.startswith("worktree ") or not folder.name.startswith(_PREFIX):
                continue
            if folder.is_dir():
                try:
                    with FileLock(folder / _LOCK, timeout=0):
                        pass
                except Timeout:
                    continue  # another gate is at work in this clone
            self._remove(tree)
            shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, tree: Path) -> None:
        """Forget a checkout, also one that was never finished or is gone."""
        # Twice: git locks a checkout while it makes it.
        command = ["git", "worktree", "remove", "--force", "--force", str(tree)]
        subprocess.run(command, cwd=self.root, capture_output=True, timeout=_LIMIT_S, check=False)
        if str(tree) in self._run("worktree", "list", "--porcelain"):
            # Its folder is no checkout any more, which git does not remove but forgets.
            shutil.rmtree(tree, ignore_errors=True)
            self._run("worktree", "prune")

    def _fetch(self, wanted: str, *arguments: str) -> None:
        try:
            self._run("fetch", "--quiet", *arguments)
        except UserError as error:
            raise UserError(
                f"The baseline {wanted} is not in this repository and could not be fetched; give "
                f"a ref that exists. {error}"
            ) from error

    def _has(self, ref: str) -> bool:
        command = ["git", "rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}"]
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, timeout=_LIMIT_S, check=False
        )
        return done.returncode == 0

    def _commit(self, ref: str) -> Commit:
        text = self._run("log", "-1", "--format=%H%x00%h%x00%s", f"{ref}^{{commit}}", "--")
        sha, short, subject = text.rstrip("\n").split("\0")
        return Commit(sha=sha, short=short, subject=subject)

    def _run(self, *arguments: str) -> str:
        return _git(self.root, *arguments)


def _git(folder: Path, *arguments: str) -> str:
    """Return what a command of git printed. Raises `UserError` with its first line otherwise."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise UserError("git is not installed, and the gate compares commits.") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise UserError(f"`git {arguments[0]}` failed: {lines[0]}.")
    return done.stdout

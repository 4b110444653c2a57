"""Find commits in real repositories, and check one out without leaving anything behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.gating.repository import Repository
from tests.repositories import commit, git

HOLD = """
import sys, time
from pathlib import Path
import signal
# A shell has its background jobs ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from mobilebench.cli import stopping
stopping.hear()
from mobilebench.gating.repository import Repository
repository = Repository.around(Path.cwd())
with repository.worktree(repository.head()) as tree:
    print(tree, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {"net.py": "one"}, "Add a network")
    commit(folder, {"net.py": "two"}, "Change it")
    return folder


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that temporary folders of this test are made in."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def _listed(folder: Path) -> list[str]:
    lines = git(folder, "worktree", "list", "--porcelain").splitlines()
    return [line for line in lines if line.startswith("worktree ")]


def _stopped(folder: Path, by: signal.Signals) -> Path:
    """Stop a process that holds a checkout; return the checkout."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        tree = Path(child.stdout.readline().strip())
        assert (tree / "net.py").is_file()
        child.send_signal(by)
    return tree


def test_a_checkout_is_of_its_commit_and_is_gone_afterwards(folder: Path, temp: Path) -> None:
    repository = Repository.around(folder)
    before = repository.baseline(None, None)
    assert before is not None and before.subject == "Add a network"
    assert before.title == f"{before.sha[:7]} (Add a network)"
    with repository.worktree(before) as tree:
        assert (tree / "net.py").read_text() == "one"
        assert len(_listed(folder)) == 2
    assert len(_listed(folder)) == 1 and not list(temp.iterdir())
    with pytest.raises(ZeroDivisionError), repository.worktree(before):
        _ = 1 / 0
    assert len(_listed(folder)) == 1 and not list(temp.iterdir())


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_that_is_stopped_removes_its_checkout(
    folder: Path, temp: Path, by: signal.Signals
) -> None:
    _stopped(folder, by)
    assert len(_listed(folder)) == 1 and not list(temp.iterdir())


@pytest.mark.parametrize("left", ["nothing", "folder", "files", "ruin"])
def test_what_a_killed_process_left_does_not_stop_the_next(
    folder: Path, temp: Path, left: str
) -> None:
    tree = _stopped(folder, signal.SIGKILL)
    assert len(_listed(folder)) == 2
    if left == "nothing":  # a runner empties its temporary folder
        shutil.rmtree(tree.parent)
    elif left == "files":
        (tree / "artifacts").write_text("not tracked")
    elif left == "ruin":  # the folder is there, but is no checkout any more
        shutil.rmtree(tree)
        tree.mkdir()
    repository = Repository.around(folder)
    with repository.worktree(repository.head()) as other:
        assert (other / "net.py").read_text() == "two"
        assert len(_listed(folder)) == 2
    assert len(_listed(folder)) == 1 and not list(temp.iterdir())


def test_the_checkout_of_a_living_process_and_those_of_the_user_stay(
    folder: Path, temp: Path, tmp_path: Path
) -> None:
    git(folder, "worktree", "add", "-q", "--detach", str(tmp_path / "mine"), "HEAD")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        tree = Path(child.stdout.readline().strip())
        repository = Repository.around(folder)
        with repository.worktree(repository.head()):
            assert len(_listed(folder)) == 4
        assert (tree / "net.py").is_file() and len(_listed(folder)) == 3
        child.send_signal(signal.SIGTERM)
    assert _listed(folder)[1:] == [f"worktree {tmp_path / 'mine'}"]


def test_the_first_commit_has_no_baseline(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, {"net.py": "one"}, "Begin")
    assert Repository.around(tmp_path).baseline(None, None) is None
    with pytest.raises(UserError, match="The baseline v1 is not in this repository"):
        Repository.around(tmp_path).baseline("v1", None)


@pytest.mark.parametrize(
    ("ref", "target"), [(None, None), (None, "main"), ("HEAD~2", None), ("v0", None)]
)
def test_what_a_shallow_clone_lacks_is_fetched(
    folder: Path, tmp_path: Path, ref: str | None, target: str | None
) -> None:
    git(folder, "tag", "v0", "HEAD^")
    git(folder, "checkout", "-q", "-b", "change")
    commit(folder, {"net.py": "three"}, "Change it again")
    clone = tmp_path / "clone"
    place = f"file://{folder}"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "change", place, str(clone))
    before = Repository.around(clone).baseline(ref, target)
    assert before is not None
    wanted = {"HEAD~2": "Add a network", "v0": "Add a network"}.get(ref or "", "Change it")
    assert before.subject == wanted
    with Repository.around(clone).worktree(before) as tree:
        assert (tree / "net.py").read_text() == ("one" if ref else "two")


def test_a_test_merge_is_named_by_the_commit_that_it_merges(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "change", "HEAD^")
    commit(folder, {"other.py": "x"}, "Add another file")
    change = git(folder, "rev-parse", "HEAD").strip()
    main = git(folder, "rev-parse", "main").strip()
    git(folder, "checkout", "-q", "--detach", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", f"Merge {change} into {main}", "change")
    assert Repository.around(folder).head().subject == "Add another file"


def test_a_folder_outside_of_a_repository_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="git rev-parse"):
        Repository.around(tmp_path)

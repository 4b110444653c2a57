"""Name the same files of the repository in another checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench.gating.words import Move


@pytest.fixture
def move(tmp_path: Path) -> Move:
    here, there = tmp_path / "here", tmp_path / "there"
    for name in ("model.py", "weights/old.pt", "weights/new.pt", "weights/own.pt", "sub/net.py"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    (there / "weights").mkdir(parents=True)
    for name in ("model.py", "weights/old.pt"):
        (there / name).touch()
    tracked = {Path("model.py"), Path("weights/old.pt"), Path("weights/new.pt")}
    return Move(here, here / "sub", there, tracked.__contains__)


def test_a_path_of_the_repository_is_that_of_the_other_checkout(move: Move) -> None:
    assert move.model("../model.py:make") == "../model.py:make", "as far from the same folder"
    assert move.model(f"{move.root}/model.py:make") == f"{move.other_root}/model.py:make"
    link = move.root.parent / "link"
    link.symlink_to(move.root)
    assert move.model(f"{link}/model.py:make") == f"{move.other_root}/model.py:make"


def test_code_that_is_new_is_never_read_from_the_first_checkout(move: Move) -> None:
    assert move.model("net.py:make") == "net.py:make"
    assert move.model(f"{move.folder}/net.py:make") == f"{move.other_root}/sub/net.py:make"


def test_a_path_outside_is_the_same_for_both(move: Move) -> None:
    outside = move.root.parent / "elsewhere.py"
    assert move.model("../../elsewhere.py:make") == f"{outside}:make"
    assert move.model(f"{outside}:make") == f"{outside}:make"
    for name in ("mobilevig_ti", "timm:resnet18", "package.nets:make"):
        assert move.model(name) == name


def test_what_git_does_not_track_is_read_from_the_first_checkout(move: Move) -> None:
    own = f"{move.root}/weights/own.pt"
    model = f"{move.root}/model.py:make"
    there = f"{move.other_root}/model.py:make"
    for words, moved in (
        (["--checkpoint", "../weights/own.pt"], ["--checkpoint", own]),
        (["--checkpoint=../weights/own.pt"], [f"--checkpoint={own}"]),
        (["-c", f"{model}=../weights/own.pt"], ["-c", f"{there}={own}"]),
        (["-c", "../weights/old.pt"], ["-c", "../weights/old.pt"]),
        (["-c", "../weights/new.pt"], ["-c", "../weights/new.pt"]),
        (
            ["--calibration", str(move.root / "weights")],
            ["--calibration", f"{move.other_root}/weights"],
        ),
        (["--format", "sub"], ["--format", "sub"]),
    ):
        assert move.words([model, *words], [model]) == [there, *moved]

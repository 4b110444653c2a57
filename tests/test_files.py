"""Files and folders appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mobilebench.errors import OutputError
from mobilebench.files import publish_folder, staging_folder, write_text


def test_a_file_is_replaced_in_one_step_and_leaves_no_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "page.html"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_way_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        write_text(tmp_path / "taken" / "page.html", "x")


def test_a_staged_folder_vanishes_when_its_making_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staging_folder(tmp_path) as staged:
        (staged / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_published_folder_replaces_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "bundle"
    for content in ("one", "two"):
        with staging_folder(tmp_path) as staged:
            (staged / "file").write_text(content)
            publish_folder(staged, place)
    assert (place / "file").read_text() == "two"
    assert list(tmp_path.iterdir()) == [place]


def test_what_a_killed_process_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    # Process ids end below 2**22 on Linux and 100,000 on macOS.
    dead, alive = tmp_path / ".partial-99999999-x", tmp_path / f".partial-{os.getppid()}-y"
    dead.mkdir()
    alive.mkdir()
    with staging_folder(tmp_path):
        assert not dead.exists()
        assert alive.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission is denied"):
            write_text(tmp_path / "page.html", "x")
    finally:
        tmp_path.chmod(0o700)

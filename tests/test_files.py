"""Files and folders appear whole or not at all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.errors import OutputError
from mobilebench.files import (
    append_text,
    is_special,
    pack,
    publish_folder,
    require_file,
    require_folder,
    staging_folder,
    unpack,
    write_text,
)


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


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "kept" / "page.html", tmp_path / "link.html"
    link.symlink_to("middle.html")
    (tmp_path / "middle.html").symlink_to(target)
    for content in ("one", "two"):
        write_text(link, content)
        assert target.read_text() == content
    assert link.is_symlink() and (tmp_path / "middle.html").is_symlink()
    assert list(target.parent.iterdir()) == [target]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_text(path, "one")
    path.chmod(0o640)
    write_text(path, "two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("through_link", [False, True])
def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path, through_link: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    path = link if through_link else pipe
    require_file(path)  # it must not wait for a reader
    texts: list[str] = []
    reader = threading.Thread(target=lambda: texts.append(pipe.read_text()), daemon=True)
    reader.start()
    write_text(path, "all of it")
    reader.join(10)
    assert texts == ["all of it"]
    assert pipe.is_fifo() and link.is_symlink()


@pytest.mark.parametrize("name", ["/dev/fd/1", "/proc/self/fd/1", "link"])
def test_an_open_file_is_written_after_what_was_printed(tmp_path: Path, name: str) -> None:
    if name.startswith("/proc") and not Path(name).exists():
        pytest.skip("this system has no /proc")
    (tmp_path / "link").symlink_to("/dev/stdout")  # never /dev/stdout itself: root could replace it
    log = tmp_path / "log"
    log.write_text("before\n")
    code = (
        "import sys; from pathlib import Path; from mobilebench.files import write_text\n"
        "print('printed'); write_text(Path(sys.argv[1]), 'written\\n'); print('after')"
    )
    with log.open("a") as out:
        subprocess.run([sys.executable, "-c", code, tmp_path / name], stdout=out, check=True)
    assert log.read_text() == "before\nprinted\nwritten\nafter\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "log"]


def _circle(tmp_path: Path) -> Path:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / one).symlink_to(other)
    return tmp_path / "a"


def _below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "taken").write_text("")
    return tmp_path / "taken" / "deep" / "page.html"


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        (lambda tmp_path: tmp_path, "it is a folder; give the path of a file in it"),
        (_below_a_file, "a part of the path is a file, not a folder"),
        (_circle, "its symbolic links lead in a circle"),
        (lambda tmp_path: tmp_path / ("n" * 300), "its name is too long"),
    ],
)
def test_a_place_where_no_file_can_be_is_one_sentence_before_and_when_it_is_written(
    tmp_path: Path, place: Callable[[Path], Path], advice: str
) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for write in (require_file, lambda path: write_text(path, "x"), lambda p: append_text(p, "x")):
        with pytest.raises(OutputError, match=advice):
            write(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_closed_stream_is_one_sentence() -> None:
    for write in (require_file, lambda path: write_text(path, "x")):
        with pytest.raises(OutputError, match="it is closed"):
            write(Path("/dev/fd/987654"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_folder_that_takes_no_files_is_found_before(tmp_path: Path) -> None:
    for path in (Path("/proc/page.html"), Path("/proc/new/page.html")):
        with pytest.raises(OutputError, match="no file can be made there"):
            require_file(path)
        with pytest.raises(OutputError, match="no file can be made there"):
            require_folder(path)


def test_the_check_of_a_place_leaves_nothing_behind(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("old")
    require_file(old)
    require_file(tmp_path / "new" / "deep" / "page.html")
    require_folder(tmp_path / "new")
    assert list(tmp_path.iterdir()) == [old] and old.read_text() == "old"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="a part of the path is a file"):
        require_folder(tmp_path / "taken")


def test_only_what_keeps_nothing_is_special(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("pipe")
    special = [
        path
        for path in (*tmp_path.iterdir(), tmp_path, tmp_path / "new", Path("/dev/null"))
        if is_special(path)
    ]
    assert {path.name for path in special} == {"pipe", "link", "null"}
    assert is_special(Path("/dev/stdout"))


def test_a_packed_folder_comes_back_as_it_was(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    (there / "net.mlpackage" / "Data").mkdir(parents=True)
    (there / "net.mlpackage" / "Data" / "weights.bin").write_bytes(bytes(range(256)) * 9)
    (there / "manifest.json").write_text("{}")
    (there / "notes.txt").write_text("stays")
    here.mkdir()
    unpack(pack(there, [there / "net.mlpackage", there / "manifest.json"]), here)
    assert sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file()) == [
        "manifest.json",
        "net.mlpackage/Data/weights.bin",
    ]
    weights = "net.mlpackage/Data/weights.bin"
    assert (here / weights).read_bytes() == (there / weights).read_bytes()
    whole = tmp_path / "whole"
    whole.mkdir()
    unpack(pack(there), whole)
    assert (whole / "notes.txt").read_text() == "stays"


def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../escaped.txt", "no")
        archive.writestr("/escaped-too.txt", "no")
    folder = tmp_path / "folder"
    folder.mkdir()
    unpack(content.getvalue(), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert not Path("/escaped-too.txt").exists()

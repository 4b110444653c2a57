"""A journal reads every whole line of a file that a kill may have cut anywhere."""

from __future__ import annotations

from pathlib import Path

from mobilebench.verifying.journal import Answer, ImageVerdict, Journal, Part


def _part(*images: int) -> Part:
    answers = (
        Answer(image=image, sha256="0" * 64, verdict=ImageVerdict.RANKED, rank=0)
        for image in images
    )
    return Part(evaluated_by="double 1", answers=tuple(answers))


def test_parts_come_back_by_their_key(tmp_path: Path) -> None:
    journal = Journal.beside(tmp_path / "result.json")
    assert journal.read("a") == []
    journal.add("a", _part(0, 1))
    journal.add("b", _part(0))
    journal.add("a", _part(2))
    assert journal.read("a") == [_part(0, 1), _part(2)]
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_file_cut_at_any_byte_gives_the_lines_that_are_whole(tmp_path: Path) -> None:
    whole = Journal(tmp_path / "whole")
    whole.add("a", _part(0))
    first = len(whole.path.read_bytes())
    whole.add("a", _part(1))
    content = whole.path.read_bytes()
    for length in range(len(content)):
        cut = Journal(tmp_path / "cut")
        cut.path.write_bytes(content[:length])
        # A line is whole also without the newline at its end.
        parts = [_part(0)] * (length >= first - 1) + [_part(1)] * (length >= len(content) - 1)
        assert cut.read("a") == parts
        cut.add("a", _part(2))
        assert cut.read("a") == [*parts, _part(2)]


def test_a_line_of_another_version_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.path.write_bytes(b'{"key": "a", "part": {"older": 1}}\n\xff\xfe\0\n[]\n')
    journal.add("a", _part(0))
    assert journal.read("a") == [_part(0)]

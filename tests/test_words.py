"""Words: docstrings that a reader gets at once, and one word for each idea."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("mobilebench", "exporters", "device_runners", "benchmarks", "android_app", "ios_app")
LONGEST = 90
AVOIDED = {
    r"\b[Pp]rov(?:e|es|en|ed|ing)\b|\b[Pp]roofs?\b": "verify",
    r"(?<!there )\bis none\b|\bthat are none\b": "is not a ...",
    r"\bso many\b": "that many, or the number",
    r"\bof (?:its|their|his) own\b": "its own, separate",
    r"\bat will\b": "randomly",
    r"\bone and the same\b": "the same",
    r"\bput up with\b": "accept",
    r"\bat even distances\b": "evenly spaced",
}
EXEMPT = (
    # The definition of a protocol never changes.
    'purpose="regression gate: one short run of an interleaved pair, in a process of its own",',
)
PARTICIPLES = {"found", "told", "said", "made", "kept", "asked", "able"}


def _sources() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`'])", paragraph)[0]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_sentence_of_a_docstring_is_short(path: Path) -> None:
    long = [
        f"{path.relative_to(ROOT)}:{line}: {sentence}"
        for line, text in _docstrings(ast.parse(path.read_text()))
        if len(sentence := _first_sentence(text)) >= LONGEST
    ]
    assert long == []


def test_words_that_sound_translated_are_avoided() -> None:
    texts = [*_sources(), *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()} (say: {better})"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for avoided, better in AVOIDED.items()
        if re.search(avoided, line) and line.strip() not in EXEMPT
    ]
    assert wrong == []


def test_no_variable_is_a_participle() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.id}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in PARTICIPLES
    ]
    assert wrong == []

"""Run pdflatex and bibtex on a document, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_HOW = "apt-get install --no-install-recommends texlive-latex-base texlive-latex-recommended"
needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason=f"there is no pdflatex here; {_HOW}"
)
needs_text = pytest.mark.skipif(
    shutil.which("pdflatex") is None or shutil.which("pdftotext") is None,
    reason=f"there is no pdflatex or no pdftotext here; {_HOW} poppler-utils",
)


def typeset(document: str, folder: Path, bibliography: dict[str, str] | None = None) -> Path:
    """Return the PDF of a document, with its bibliography where files of one are given."""
    source = folder / "paper.tex"
    source.write_text(document, encoding="utf-8")
    for name, text in (bibliography or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    _run(folder, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape")
    if bibliography is not None:
        _run(folder, "bibtex", source="paper")
        for _ in range(2):
            _run(folder, "pdflatex", "-interaction=nonstopmode", "-halt-on-error")
    return folder / "paper.pdf"


def _run(folder: Path, program: str, *options: str, source: str = "paper.tex") -> None:
    done = subprocess.run(
        [program, *options, source],
        cwd=folder,
        capture_output=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-3000:]
    if program == "bibtex":
        assert "error message" not in log and "Warning" not in log, log


def text_of(pdf: Path) -> str:
    """Return the text that a reader sees, in one line, with its ligatures as letters."""
    done = subprocess.run(
        ["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True, timeout=60
    )
    text = done.stdout.decode()
    for ligature, letters in {"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"}.items():
        text = text.replace(ligature, letters)
    return " ".join(text.split())


def fragment(parts: str) -> str:
    """Return a document around parts of a paper, as an author has it."""
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{booktabs,graphicx}",
            r"\begin{document}",
            parts,
            r"\end{document}",
        ]
    )

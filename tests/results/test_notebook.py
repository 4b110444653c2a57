"""Run the notebook of the documentation: what it shows is what its cells give."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from tests import notebooks

NOTEBOOK = Path(__file__).parent.parent.parent / "docs" / "analysis.ipynb"


def test_every_cell_gives_what_the_notebook_shows() -> None:
    cells = notebooks.code_cells(NOTEBOOK)
    try:
        given = notebooks.outputs(NOTEBOOK)
    finally:
        pd.reset_option("display")
    assert len(cells) >= 5
    for number, (cell, output) in enumerate(zip(cells, given, strict=True), start=1):
        assert cell["execution_count"] == number
        assert cell["outputs"] == output, "write them by: python -m tests.notebooks FILE"


def test_the_notebook_is_one_that_jupyter_opens() -> None:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    assert document["metadata"]["kernelspec"]["language"] == "python"

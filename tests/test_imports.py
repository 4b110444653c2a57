"""Who may import what, read from the syntax trees: the arrows of the architecture."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLKITS = {
    "onnx",
    "onnxruntime",
    "onnxscript",
    "litert_torch",
    "ai_edge_litert",
    "coremltools",
    "executorch",
    "torchao",
}
ALLOWED: dict[str, set[str]] = {
    # the ground
    "errors": set(),
    "stats": set(),
    "observer": set(),
    "notation": {"errors"},
    "files": {"errors"},
    "values": {"errors", "files", "stats", "notation"},
    "machine": {"errors", "files", "values"},
    "inputs": {"errors", "values", "notation"},
    # networks
    "zoo": {"errors", "values"},
    "deploy": {"errors", "values", "zoo"},
    "slimmable": {"errors", "files", "values", "inputs", "zoo", "notation"},
    # the seams
    "interfaces": {"values", "inputs", "machine", "observer"},
    "plugins": {"errors", "values", "interfaces", "machine"},
    "failures": {"errors", "values", "machine", "interfaces", "plugins"},
    # from a network to a verified file
    "verifying": {
        "errors", "files", "values", "machine", "inputs", "plugins", "notation", "observer",
    },
    "inspecting": {"errors", "files", "values", "machine", "plugins", "notation"},
    "exporting": {
        "errors", "files", "values", "machine", "inputs", "observer",
        "interfaces", "plugins", "failures", "verifying", "inspecting",
    },
    "conversion": {
        "errors", "files", "values", "machine", "inputs", "observer",
        "zoo", "deploy", "slimmable", "plugins", "verifying", "exporting",
    },
    # heat
    "thermal": {"errors", "values", "notation"},
    # from a file to a verdict
    "results": {"errors", "values", "stats", "notation"},
    "store": {"errors", "files", "values", "results"},
    "regress": {"errors", "values", "stats", "store", "notation", "results"},
    "measuring": {
        "errors", "files", "values", "machine", "inputs", "observer", "stats", "notation",
        "interfaces", "plugins", "failures", "verifying", "store", "regress", "thermal",
    },
    "submitting": {
        "errors", "files", "values", "machine", "observer", "stats", "notation", "plugins",
        "store", "measuring",
    },
    "gating": {"errors", "values", "machine", "observer", "measuring", "regress"},
    "server": {"errors", "values", "machine", "pages", "store"},
    "leaderboard": {"errors", "values", "notation", "results", "regress"},
    "pages": {
        "errors", "files", "values", "machine", "stats", "notation", "results", "leaderboard",
        "regress", "store",
    },
    "interop": {"errors", "values"},
    "schema": {"files", "values", "conformance"},
    "conformance": {
        "errors", "values", "stats", "measuring", "results", "machine", "notation", "store",
        "thermal",
    },
    "reproducing": {
        "errors", "values", "stats", "machine", "inputs", "observer", "zoo", "plugins",
        "failures", "inspecting", "exporting", "measuring", "notation", "regress", "store",
    },
    # plug-ins
    "mobilebench_exporters": {"errors", "values", "inputs", "interfaces", "verifying"},
    "mobilebench_device_runners": {
        "errors", "values", "files", "inputs", "machine", "interfaces", "measuring", "notation",
        "observer", "thermal",
    },
    # the face: may import all of core
    "pipeline": {
        "errors", "values", "machine", "observer", "store", "failures",
        "exporting", "conversion", "measuring",
    },
    "api": {
        "errors", "values", "machine", "inputs", "inspecting", "observer",
        "exporting", "conversion", "verifying", "measuring", "pipeline",
        "store", "regress", "leaderboard", "results",
    },
    "cli": {
        "errors", "files", "observer", "values", "machine", "inputs", "interfaces", "plugins",
        "zoo",
        "exporting", "verifying", "inspecting", "measuring", "store", "regress",
        "leaderboard", "interop", "pipeline", "notation", "reproducing", "conformance",
        "failures", "gating", "thermal", "slimmable", "pages", "results", "server",
        "submitting",
    },
    "__init__": {"errors", "values", "store", "zoo", "api"},
    "__main__": {"cli"},
}  # fmt: skip
"""Which package may import which: the arrows of the architecture, all of them."""
TORCH = {"zoo", "deploy", "slimmable", "conversion", "mobilebench_exporters"}
"""Packages that may import torch. `api` names torch's module class in an annotation."""
PUBLIC = {
    "export", "benchmark", "benchmark_all", "evaluate", "verify", "inspect", "compare", "check",
    "rank", "records", "create_model", "list_models", "load_checkpoint",
}  # fmt: skip


@cache
def _imports(path: Path) -> set[str]:
    """Return full names of all that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _files(*places: str) -> list[Path]:
    files: list[Path] = []
    for place in places:
        path = ROOT / place
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    assert files
    return files


def _part(path: Path) -> str:
    """Return the package of a file, or the name of a module that stands by itself."""
    for folder in ("exporters", "device_runners"):
        if path.is_relative_to(ROOT / folder):
            return path.relative_to(ROOT / folder).parts[0]
    return path.relative_to(ROOT / "mobilebench").parts[0].removesuffix(".py")


def _sources() -> list[Path]:
    return _files("mobilebench", "exporters", "device_runners")


def _target(name: str) -> str | None:
    """Return the package of an imported name; None for other projects' packages."""
    first, *rest = name.split(".")
    if first in ("mobilebench_exporters", "mobilebench_device_runners"):
        return first
    if first != "mobilebench" or not rest:
        return None
    return rest[0] if rest[0] in ALLOWED else "__init__"


@cache
def _arrows() -> set[tuple[str, str]]:
    return {
        (_part(path), target)
        for path in _sources()
        for name in _imports(path)
        if (target := _target(name)) not in (None, _part(path))
    }


def test_every_import_between_packages_is_allowed() -> None:
    broken = sorted(f"{a} imports {b}" for a, b in _arrows() if b not in ALLOWED[a])
    assert broken == []


def test_the_table_allows_nothing_that_is_not_used() -> None:
    arrows = _arrows()
    unused = {f"{a} -> {b}" for a, names in ALLOWED.items() for b in names if (a, b) not in arrows}
    assert unused == set()


def test_the_table_has_no_circle() -> None:
    order = graphlib.TopologicalSorter(ALLOWED)
    assert len(list(order.static_order())) == len(ALLOWED)


def test_each_package_has_its_place_in_the_table_and_a_charter_of_one_line() -> None:
    core = ROOT / "mobilebench"
    modules = {path.stem for path in core.glob("*.py")}
    packages = {path.parent.name for path in core.glob("*/__init__.py")}
    assert modules | packages == {name for name in ALLOWED if not name.startswith("mobilebench_")}
    assert len(modules) <= 12
    assert packages.isdisjoint(PUBLIC), "it would replace the function once it is imported"
    for package in packages:
        text = ast.get_docstring(ast.parse((core / package / "__init__.py").read_text()))
        charter = (text or "").partition("\n\n")[0]
        assert charter and "\n" not in charter and charter.endswith("."), package


def test_contributors_are_told_of_every_package() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "mobilebench").glob("*/__init__.py")}
    assert {name for name in packages if f"`{name}/`" not in text} == set()


def test_tests_lie_where_the_code_lies() -> None:
    # What is tested over all plug-ins, and what no package has.
    others = {"cases", "contract", "data", "vectors", "exporters", "device_runners", "cli"}
    others |= {"android", "clients", "ios", "phones"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert {name for name in folders - others if not name.startswith("_")} <= set(ALLOWED)


FORBIDDEN = {
    "torch stays in the packages of networks": (
        [path for path in _sources() if _part(path) not in (*TORCH, "api")],
        {"torch"},
    ),
    "core knows no toolkit": (_files("mobilebench"), {*TOOLKITS, "timm"}),
    "values know no database and no terminal": (
        _files("mobilebench/values"),
        {"sqlalchemy", "typer", "rich"},
    ),
    "only the server knows HTTP's": (
        [path for path in _sources() if _part(path) not in ("server", "cli")],
        {"fastapi", "starlette", "uvicorn"},
    ),
    "only the cli knows the terminal's grammar": (
        [path for path in _sources() if _part(path) != "cli"],
        {"typer"},
    ),
}


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_other_projects_are_imported_where_they_belong(rule: str) -> None:
    files, forbidden = FORBIDDEN[rule]
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(_imports(path))
        if name.partition(".")[0] in forbidden and path.name != "_runtimes.py"
    ]
    assert broken == []


_DOTTED = re.compile(r"\bmobilebench(?:_exporters|_device_runners)?(?:\.\w+)+(?::\w+)?")
_PATH = re.compile(
    r"\b(?:mobilebench|exporters|device_runners|tests|benchmarks)/[\w/-]+\.(?:py|toml|json|csv)\b"
)
_NO_MODULES = ("mobilebench.sqlite", "mobilebench.app")
"""The default store, and the id of the Android app."""


def _texts() -> list[Path]:
    code = _files("mobilebench", "exporters", "device_runners", "benchmarks")
    return [*code, *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "exporters/README.md"]


def test_every_module_that_a_text_names_exists() -> None:
    wrong = []
    for path in _texts():
        for match in _DOTTED.finditer(path.read_text(encoding="utf-8")):
            name, _, function = match[0].partition(":")
            if match[0] not in _NO_MODULES and not _exists(name, function):
                wrong.append(f"{path.relative_to(ROOT)} names {match[0]}")
    assert wrong == []


def _exists(name: str, function: str) -> bool:
    """Return whether a dotted name is a module, or a name that a module defines."""
    parts = name.split(".")
    tops = {"mobilebench": ".", "mobilebench_exporters": "exporters"}
    folder = ROOT / tops.get(parts[0], "device_runners")
    for count in range(len(parts), 0, -1):
        place = folder.joinpath(*parts[:count])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.exists():
                words = [*parts[count:], *([function] if function else [])]
                return not words or bool(re.search(rf"\b{words[0]}\b", file.read_text()))
    return False


def test_every_file_that_a_text_names_exists() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} names {match[0]}"
        for path in _texts()
        for match in _PATH.finditer(path.read_text(encoding="utf-8"))
        if not (ROOT / match[0]).exists() and not re.search("[A-Z]{4}", match[0])
    ]
    assert wrong == []


def test_only_the_executorch_adapter_of_the_runners_takes_torch() -> None:
    using = [
        path.name
        for path in _files("device_runners/mobilebench_device_runners")
        if any(name.partition(".")[0] == "torch" for name in _imports(path))
    ]
    assert using == ["_runtimes.py"]


def test_no_print_and_no_exit_outside_the_cli() -> None:
    calls = []
    for path in _files("mobilebench", "exporters", "device_runners"):
        if "cli" in path.parts or path.name == "__main__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "sys.exit", "exit"):
                calls.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert calls == []


HEAVY = sorted(
    {
        "torch",
        "accelerate",
        "numpy",
        "sqlalchemy",
        "jax",
        "pandas",
        "polars",
        "pyarrow",
        "timm",
        "altair",
        "vl_convert",
        "distributed",
        "dask",
        "fastapi",
        "starlette",
        "uvicorn",
        "alembic",
        "prometheus_client",
        "zstandard",
        *TOOLKITS,
    }
)


def _loaded_by(code: str) -> set[str]:
    """Return the packages that a new Python has loaded after some code."""
    script = f"{code}\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "mobilebench" in loaded
    return loaded


@pytest.mark.parametrize(
    "code",
    [
        "import mobilebench",
        "import sys; sys.argv = ['mobilebench', '--help']; from mobilebench.cli import main\n"
        "try: main()\nexcept SystemExit as e: assert e.code == 0",
        "from mobilebench import plugins; plugins.exporter_names(); plugins.runner_names()",
    ],
    ids=["import", "help", "plug-in names"],
)
def test_nothing_heavy_is_loaded_by(code: str) -> None:
    assert _loaded_by(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("verb", ["leaderboard", "history", "records", "check", "simulate"])
def test_reading_a_verb_waits_for_no_statistics(verb: str) -> None:
    """They are slow to load, which only a verb that computes them is worth."""
    modules = ("leaderboard", "pages.choosing", "thermal.equals", "server.app", f"cli.{verb}")
    code = "\n".join(f"import mobilebench.{module}" for module in modules)
    assert "scipy" not in _loaded_by(code)


@pytest.mark.parametrize("verb", ["models", "devices", "doctor"])
def test_verbs_about_facts_load_neither_torch_nor_a_toolkit(verb: str) -> None:
    code = (
        f"import sys; sys.argv = ['mobilebench', {verb!r}]; from mobilebench.cli import main\n"
        "try: main()\nexcept SystemExit as e: assert e.code in (0, None), e.code"
    )
    assert _loaded_by(code).isdisjoint({"torch", "jax", *TOOLKITS})

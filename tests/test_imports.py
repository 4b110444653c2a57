"""Who may import what, read from the syntax trees: the arrows of the architecture."""

from __future__ import annotations

import ast
import subprocess
import sys
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
VALUES = (
    "errors",
    "values",
    "tensor",
    "modelspec",
    "recipe",
    "artifact",
    "device",
    "protocol",
    "measurement",
    "job",
    "record",
    "stats",
    "checks",
    "engine",
    "interfaces",
    "observer",
)
NEEDS_TORCH = ("deploy", "zoo", "preflight", "making", "origins")


def _imports(path: Path) -> set[str]:
    """Full names of everything a file imports, also inside functions and type checks."""
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


def _core(*names: str) -> list[Path]:
    return _files(*(f"mobilebench/{name}" for name in names))


def _all_core() -> list[Path]:
    return _files("mobilebench")


def _part(path: Path) -> str:
    return path.relative_to(ROOT / "mobilebench").parts[0].removesuffix(".py")


RULES = {
    "values import no torch, toolkit, store or cli": (
        _core(*VALUES),
        {"torch", *TOOLKITS, "sqlalchemy", "typer", "rich", "mobilebench.store", "mobilebench.cli"},
    ),
    "torch stays in the zoo, deploy, preflight, making and origins": (
        # `api` names torch's module class in an annotation and imports nothing.
        [path for path in _all_core() if _part(path) not in (*NEEDS_TORCH, "api")],
        {"torch"},
    ),
    "core knows no toolkit": (_all_core(), {*TOOLKITS, "timm"}),
    "zoo and deploy know no exporter, runner or store": (
        _core("zoo", "deploy"),
        {"mobilebench_exporters", "mobilebench_device_runners", "mobilebench.store"},
    ),
    "the zoo knows nothing of its deployment": (_core("zoo"), {"mobilebench.deploy"}),
    "store and leaderboard know no network": (
        _core("store", "leaderboard"),
        {
            "torch",
            "mobilebench.zoo",
            "mobilebench.plugins",
            "mobilebench_exporters",
            "mobilebench_device_runners",
        },
    ),
    "core imports no plug-in": (
        _all_core(),
        {"mobilebench_exporters", "mobilebench_device_runners"},
    ),
    "only the cli prints": (
        [path for path in _all_core() if _part(path) not in ("cli", "__main__")],
        {"typer", "mobilebench.cli"},
    ),
    "exporters know no runner, store or cli": (
        _files("exporters/mobilebench_exporters"),
        {"mobilebench_device_runners", "mobilebench.store", "mobilebench.cli"},
    ),
    "runners know no exporter, store or cli": (
        _files("device_runners/mobilebench_device_runners"),
        {"mobilebench_exporters", "mobilebench.store", "mobilebench.cli", "mobilebench.zoo"},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_import_rule(rule: str) -> None:
    files, forbidden = RULES[rule]
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(_imports(path))
        if any(name == root or name.startswith(f"{root}.") for root in forbidden)
    ]
    assert broken == []


def test_only_the_executorch_adapter_of_the_runners_takes_torch() -> None:
    using = [
        path.name
        for path in _files("device_runners/mobilebench_device_runners")
        if any(name.partition(".")[0] == "torch" for name in _imports(path))
    ]
    assert using == ["_runtimes.py"]


def test_no_print_and_no_exit_outside_the_cli() -> None:
    found = []
    for path in _files("mobilebench", "exporters", "device_runners"):
        if "cli" in path.parts or path.name == "__main__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "sys.exit", "exit"):
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []


HEAVY = sorted(
    {
        "torch",
        "numpy",
        "sqlalchemy",
        "altair",
        "vl_convert",
        "jax",
        "pandas",
        "timm",
        "distributed",
        "dask",
        *TOOLKITS,
    }
)


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
    script = f"{code}\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "mobilebench" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("verb", ["models", "devices", "doctor"])
def test_verbs_about_facts_load_neither_torch_nor_a_toolkit(verb: str) -> None:
    script = (
        f"import sys; sys.argv = ['mobilebench', {verb!r}]; from mobilebench.cli import main\n"
        "try: main()\nexcept SystemExit as e: assert e.code in (0, None), e.code\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert loaded.isdisjoint({"torch", "jax", *TOOLKITS})

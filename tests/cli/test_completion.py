"""A shell completes verbs, options and names, without loading torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mobilebench import plugins

SCRIPT = """
source <(mobilebench --show-completion)
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_mobilebench_completion mobilebench
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")


@pytest.fixture
def bash(tmp_path: Path) -> str:
    """Return a PATH with a program `mobilebench`, as an installation has."""
    program = tmp_path / "bin" / "mobilebench"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[0] = 'mobilebench'\n"
        "from mobilebench.cli import main\nmain()\n"
    )
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def _completed(path: str, *words: str) -> list[str]:
    """Return what bash offers at the end of a command line, given as bash cuts it into words."""
    quoted = " ".join(f"'{word}'" for word in ("mobilebench", *words))
    done = subprocess.run(
        ["bash", "--norc", "-c", SCRIPT.format(words=quoted)],
        env={**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs_bash
@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("exp",), ["export"]),
        (("store", ""), ["check", "remove", "backup", "copy", "migrate", "compact"]),
        (("export", "mobilevig_"), [f"mobilevig_{size}" for size in ("ti", "s", "m", "b")]),
        (("export", "rapidnet_ti", "mobilenetv2_1"), ["mobilenetv2_100", "mobilenetv2_140"]),
        (("export", "rapidnet_ti", "-f", "ex"), ["executorch"]),
        (("export", "rapidnet_ti", "--precision", "fp16"), ["fp16", "fp16-weights"]),
        (("export", "rapidnet_ti", "--delegate", "q"), ["qualcomm"]),
        (("export", "rapidnet_ti", "--preci"), ["--precision"]),
        (("bench", "a", "--protocol", "b"), ["burst-1"]),
        (("bench", "a", "--device", ""), ["all", *plugins.runner_names()]),
        (("calibrate", "a", "--device", ""), [*plugins.runner_names()]),
        (("bench", "a", "--runtime", "onnx"), ["onnxruntime"]),
        (("bench", "a", "--compute-unit", "c"), ["cpu"]),
        (("models", "--family", "mobilevigv"), ["mobilevigv2"]),
        (("leaderboard", "--as", "ht"), ["html"]),
        (("import", "x", "--as", "mlperf"), ["mlperf", "mlperf-summary"]),
        (("verify", "art"), []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bash_completes_verbs_options_and_names(
    bash: str, words: tuple[str, ...], offers: list[str]
) -> None:
    assert _completed(bash, *words) == offers


@needs_bash
@needs_timm
def test_bash_completes_a_timm_name_after_the_colon_that_it_cuts_at(bash: str) -> None:
    names = _completed(bash, "export", "timm", ":", "mobilenetv4_conv_small")
    assert names[0] == "mobilenetv4_conv_small"
    assert _completed(bash, "export", "timm", ":", "resnet18", "mobilevig_t") == ["mobilevig_ti"]


def _zsh(path: str, line: str) -> str:
    """Return what the program answers to zsh, which keeps a word with a colon whole."""
    return subprocess.run(
        ["mobilebench"],
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "_MOBILEBENCH_COMPLETE": "complete_zsh",
            "_TYPER_COMPLETE_ARGS": line,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


@needs_timm
def test_zsh_completes_a_timm_name(bash: str) -> None:
    assert r'"timm\\:mobilenetv4_conv_small"' in _zsh(bash, "mobilebench export timm:mobilenetv4_")


def test_completing_loads_neither_torch_nor_a_toolkit() -> None:
    code = (
        "import sys\nfrom mobilebench.cli import completions\nimport typer\n"
        "for complete in (completions.zoo, completions.families, completions.devices,\n"
        "                 completions.runtimes, completions.file_kinds, completions.formats):\n"
        "    assert complete(''), complete\n"
        "class Context: params = {'models': ('timm', ':')}\n"
        "completions.models(Context, 'timm:r')\ncompletions.models(Context, 'r')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    toolkits = {"torch", "timm", "jax", "onnxruntime", "executorch", "coremltools"}
    assert toolkits.isdisjoint(done.stdout.split())

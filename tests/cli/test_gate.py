"""Run `mobilebench gate` in real repositories, on what CI meets beside a slower network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from mobilebench.store import Query, RecordStore
from tests.repositories import BROKEN, DEEPER, EXPORT, NETWORK, commit, git, repository

QUICK = ("--pairs", "2", "--tolerance", "90%")


@dataclass(frozen=True)
class Gated:
    code: int
    stdout: str
    log: str
    comment: str
    junit: ET.Element
    summary: str

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith("::")]


def _environment(folder: Path) -> dict[str, str]:
    out = folder.parent / "out"
    (out / "temp").mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "TMPDIR": str(out / "temp"),
        "GITHUB_STEP_SUMMARY": str(out / "summary.md"),
        "GITHUB_OUTPUT": str(out / "output.txt"),
        "GITHUB_BASE_REF": "",
        "MOBILEBENCH_STORE": str(out / "records.sqlite"),
    }


def _command(folder: Path, *arguments: str) -> list[str]:
    out = folder.parent / "out"
    files = ("--markdown", f"{out}/report.md", "--junit", f"{out}/junit.xml", "--github")
    return [sys.executable, "-m", "mobilebench", "gate", *arguments, *files]


def _gate(folder: Path, *arguments: str, inside: str = "") -> Gated:
    environment, out = _environment(folder), folder.parent / "out"
    done = subprocess.run(
        _command(folder, *arguments),
        cwd=folder / inside,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert not list((out / "temp").glob("mobilebench-*")), "nothing stays behind"
    assert len(git(folder, "worktree", "list").splitlines()) == 1
    root = ET.parse(out / "junit.xml").getroot()
    comment = (out / "report.md").read_text()
    assert (out / "summary.md").read_text().endswith(f"{comment}\n")
    summary = (out / "output.txt").read_text()
    return Gated(done.returncode, done.stdout, done.stderr, comment, root, summary)


def test_a_change_of_a_comment_is_the_same_file_and_is_not_measured(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "repository",
        {"ml/net.py": NETWORK},
        {"ml/net.py": f"# A comment that moves every line.\n\n{NETWORK}"},
    )
    records = tmp_path / "records.json"
    records.write_text("of an earlier run")
    gated = _gate(folder, "--export", EXPORT, "--out", str(records))
    assert gated.code == 0, gated.log
    assert json.loads(records.read_text()) == []
    assert f"nothing was measured: {records} holds no records" in gated.log
    first, *_ = gated.comment.splitlines()
    assert first.startswith("✅ **mobilebench passed:** ") and "byte by byte" in first
    assert "(Version 1)" in first and "(Version 0)" in first and "nothing was measured" in first
    assert " makes the same file as " in first
    assert "pair 1" not in gated.log and gated.annotations == []
    assert "verdict=same file" in gated.summary
    [case] = gated.junit.iter("testcase")
    assert (case.get("name"), len(case.findall("failure"))) == ("same file", 0)
    assert not Path(_environment(folder)["MOBILEBENCH_STORE"]).exists() or not _records(folder)


def _records(folder: Path) -> list[str | None]:
    with RecordStore(_environment(folder)["MOBILEBENCH_STORE"], create=False) as store:
        return [record.provenance.source_commit for record in store.find(Query())]


def test_a_broken_candidate_is_named_with_the_line_of_its_code(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repository", {"ml/net.py": NETWORK}, {"ml/net.py": BROKEN})
    gated = _gate(folder, "--export", EXPORT)
    line = BROKEN.splitlines().index("        if x.mean() > 0:") + 1
    assert gated.code == 4, gated.log
    first, *_ = gated.comment.splitlines()
    assert first.startswith("❌ **mobilebench failed:** ") and f"(ml/net.py, line {line})" in first
    assert "torch.where" in gated.comment and str(tmp_path) not in first
    [annotation] = gated.annotations
    assert annotation.startswith(f"::error file=ml/net.py,line={line},title=mobilebench broken")
    assert "verdict=broken export" in gated.summary
    [error] = gated.junit.iter("error")
    assert error.get("message", "").startswith(f"ml/net.py:{line}: ")
    assert gated.junit.get("errors") == "1"


def test_a_network_that_does_not_load_or_run_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = NETWORK.replace("self.body(x)", "self.body(x) @ torch.ones(3, 3)")
    folder = repository(tmp_path / "repository", {"ml/net.py": NETWORK}, {"ml/net.py": wrong})
    ran = _gate(folder, "--export", EXPORT, "--fail-on", "never")
    line = wrong.splitlines().index(next(s for s in wrong.splitlines() if "@" in s)) + 1
    assert ran.code == 0 and f"::error file=ml/net.py,line={line}," in ran.log, ran.log
    commit(folder, {"ml/net.py": NETWORK.replace("return Network()", "return Network(")}, "Typo")
    cut = _gate(folder, "--export", EXPORT)
    assert cut.code == 4 and "SyntaxError" in cut.comment
    line = NETWORK.splitlines().index("    return Network()") + 1
    assert f"::error file=ml/net.py,line={line}," in cut.log, cut.log


@pytest.mark.slow
def test_the_change_that_mends_a_broken_baseline_passes(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repository", {"ml/net.py": BROKEN}, {"ml/net.py": NETWORK})
    gated = _gate(folder, "--export", EXPORT)
    assert gated.code == 0, gated.log
    first, *_ = gated.comment.splitlines()
    assert first.startswith("✅ **mobilebench passed:** ") and "does not export" in first
    assert "is new" not in first and "ml/net.py, line " in first
    assert "| latency p50 |" in gated.comment and " kB |" in gated.comment
    assert [line.split(" ")[0] for line in gated.annotations] == ["::warning"]
    assert "verdict=no baseline" in gated.summary
    strict = _gate(folder, "--export", EXPORT, "--no-baseline", "fail")
    assert strict.code == 2 and strict.comment.startswith("❌ ")
    first, *_ = strict.comment.splitlines()
    assert " does not export (ml/net.py, line " in first and "lacks" not in first


@pytest.mark.slow
def test_a_folder_that_the_baseline_lacks_hides_no_regression(tmp_path: Path) -> None:
    """The model was there: only the folder that the gate runs in is new."""
    folder = repository(
        tmp_path / "repository",
        {"ml/net.py": NETWORK},
        {"ml/net.py": DEEPER, "sub/deep/README": "A new folder.", "sub/deep/net.py": NETWORK},
    )
    options = (*QUICK, "--metric", "size")
    for reference in ("../../ml/net.py:make", f"{folder}/ml/net.py:make"):
        export = EXPORT.replace("ml/net.py:make", reference)
        gated = _gate(folder, "--export", export, *options, inside="sub/deep")
        assert gated.code == 1, gated.log
        first, *_ = gated.comment.splitlines()
        assert "is worse than" in first and "size +" in first and "is new" not in first
    export = EXPORT.replace("ml/net.py", "net.py")
    new = _gate(folder, "--export", export, *options, inside="sub/deep")
    assert new.code == 0 and "net.py:make is new since " in new.comment.splitlines()[0], new.log


@pytest.mark.slow
def test_weights_that_git_does_not_track_are_those_of_both_sides(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "repository", {"ml/net.py": NETWORK, ".gitignore": "*.pt"}, {"README": "More."}
    )
    script = "import sys, torch; sys.path.append('ml'); import net; "
    save = "torch.save(net.make().state_dict(), 'weights.pt')"
    subprocess.run([sys.executable, "-c", script + save], cwd=folder, check=True)
    gated = _gate(folder, "--export", f"{EXPORT} --checkpoint weights.pt")
    assert gated.code == 0 and "verdict=same file" in gated.summary, gated.log


@pytest.mark.slow
def test_a_new_model_beside_one_that_is_compared(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "repository",
        {"ml/net.py": NETWORK},
        {"ml/net.py": DEEPER, "ml/other.py": NETWORK},
    )
    both = EXPORT.replace("ml/net.py:make", "ml/net.py:make ml/other.py:make")
    gated = _gate(folder, "--export", both, *QUICK)
    assert gated.code == 1, gated.log
    first, *_ = gated.comment.splitlines()
    assert "is worse than" in first and "size +" in first and "1 without a baseline yet" in first
    assert "ml/other.py:make" in gated.comment and "pair 2 of 2, side " in gated.log
    # Each record names the commit that its own file was made from.
    before, after = (git(folder, "rev-parse", ref).strip() for ref in ("HEAD^", "HEAD"))
    commits = _records(folder)
    assert (commits.count(before), commits.count(after)) == (2, 3)
    seconds = [float(suite.get("time", "")) for suite in gated.junit.iter("testsuite")]
    assert seconds[0] > 0 and float(gated.junit.get("time", "")) == pytest.approx(sum(seconds))


def test_a_new_model_alone_passes_in_one_sentence(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repository", {"README": "An app."}, {"ml/net.py": NETWORK})
    gated = _gate(folder, "--export", EXPORT)
    assert gated.code == 0, gated.log
    first, *_ = gated.comment.splitlines()
    assert "ml/net.py:make is new since " in first and "(Version 0)" in first
    assert "| latency p50 |" in gated.comment and "verdict=no baseline" in gated.summary
    [case] = [c for c in gated.junit.iter("testcase") if c.get("name", "").endswith("export")]
    assert case.find("skipped") is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--export", "ml/net.py:nothing --input 1x4x16x16"), "no function in ml/net.py called"),
        (("--export", f"{EXPORT} --nonsense"), "No such option: --nonsense"),
        (("--export", f"{EXPORT} 'x"), "a shell could not read (no closing quotation)"),
        (("--export", " "), "holds no words"),
        (("--export", f"{EXPORT} --out here"), "--out, which the gate chooses"),
        (("--export", EXPORT, "--device", "toaster"), "toaster"),
        (("--export", EXPORT, "--baseline", "v9"), "The baseline v9 is not in this repository"),
        (("--export", EXPORT, "--tolerance", "300%"), "is not a share"),
        (("--export", EXPORT, "--fail-on", "luck"), "luck"),
        (("--export", EXPORT.replace("onnx", "onyx")), "onyx"),
    ],
)
def test_a_mistake_of_the_caller_is_a_report_too(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    folder = repository(tmp_path / "repository", {"ml/net.py": NETWORK}, {"ml/net.py": DEEPER})
    records = tmp_path / "records.json"
    records.write_text("of an earlier run")
    gated = _gate(folder, *arguments, "--out", str(records))
    assert gated.code == 2, gated.log
    assert json.loads(records.read_text()) == []
    assert gated.comment.startswith("❌ **mobilebench failed:** ") and sentence in gated.comment
    [error] = gated.junit.iter("error")
    assert sentence in error.get("message", "") and "verdict=refused" in gated.summary
    assert any(line.startswith("::error title=mobilebench refused::") for line in gated.annotations)


@pytest.mark.slow
def test_a_package_of_the_repository_is_that_of_each_side(tmp_path: Path) -> None:
    """An editable install puts a folder of the working tree on the path of both sides."""
    model = "from parts import make\n"
    folder = repository(
        tmp_path / "repository",
        {"net.py": f"{model}NETWORK = make\n", "src/parts.py": NETWORK},
        {"src/parts.py": DEEPER},
    )
    with pytest.MonkeyPatch.context() as patch:
        path = f"{folder / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        patch.setenv("PYTHONPATH", path)
        export = EXPORT.replace("ml/net.py:make", "net.py:NETWORK")
        gated = _gate(folder, "--export", export, *QUICK, "--metric", "size")
    assert gated.code == 1 and "size +" in gated.comment.splitlines()[0], gated.log


def _at_work_in(folder: Path) -> list[int]:
    """Return the processes whose command line names a folder."""
    processes = psutil.process_iter(["cmdline"])
    return [p.pid for p in processes if str(folder) in " ".join(p.info["cmdline"] or [])]


def test_a_run_that_is_cancelled_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "repository", {"ml/net.py": NETWORK}, {"ml/net.py": f"#\n{NETWORK}"}
    )
    command, environment = _command(folder, "--export", EXPORT), _environment(folder)
    for by in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(command, cwd=folder, env=environment) as child:
            while len(git(folder, "worktree", "list").splitlines()) == 1:
                assert child.poll() is None
                time.sleep(0.05)
            child.send_signal(by)
        left = len(git(folder, "worktree", "list").splitlines())
        assert left == (1 if by is signal.SIGTERM else 2)
    # The export of the killed gate ends as well, and a runner empties its temporary folder.
    temp, until = Path(environment["TMPDIR"]), time.monotonic() + 60
    while _at_work_in(temp) and time.monotonic() < until:
        time.sleep(0.1)
    assert _at_work_in(temp) == []
    shutil.rmtree(temp)
    gated = _gate(folder, "--export", EXPORT, "--json")
    assert gated.code == 0 and json.loads(gated.stdout)["outcome"] == "same file"

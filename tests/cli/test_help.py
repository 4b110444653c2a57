"""The help is in groups with an example, and a mistyped word is answered with the right one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mobilebench.cli import app
from mobilebench.cli.grammar import Panel, Section

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM: Any = get_command(app)
COMPLETION = {"--install-completion", "--show-completion"}
"""Options of typer, which the help shows under the last title."""


def _verbs(group: Any = PROGRAM, *before: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _verbs(command, *before, name)
        else:
            yield " ".join((*before, name)), command


VERBS = dict(_verbs())
GROUPS = {"": PROGRAM, "store": PROGRAM.commands["store"]}


def _options(command: Any) -> list[Any]:
    return [p for p in command.params if p.param_type_name == "option" and not p.hidden]


def _parse(line: str) -> None:
    """Parse a command line as the program does, without running the verb."""
    _, *words = shlex.split(line, comments=True)
    command, ctx = PROGRAM, PROGRAM.make_context("mobilebench", list(words))
    while hasattr(command, "commands"):
        command, name = command.commands[words[0]], words.pop(0)
    command.make_context(name, words, parent=ctx)


def _ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as error:
        PROGRAM.main(list(words), prog_name="mobilebench")
    written = capsys.readouterr()
    return error.value.code, written.out, written.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_in_a_group(verb: str) -> None:
    groups = {option.opts[0]: option.rich_help_panel for option in _options(VERBS[verb])}
    assert {name for name, group in groups.items() if group not in set(Panel)} == set(), (
        "give each typer.Option(...) a rich_help_panel=Panel.NAME, of mobilebench/cli/grammar.py"
    )


def test_every_verb_is_in_a_group_of_the_program() -> None:
    groups = {name: command.rich_help_panel for name, command in PROGRAM.commands.items()}
    assert {name for name, group in groups.items() if group not in set(Section)} == set()
    assert set(groups.values()) == set(Section)


@pytest.mark.parametrize("verb", [*VERBS, *GROUPS])
def test_every_verb_has_an_example_that_parses(verb: str) -> None:
    command = {**VERBS, **GROUPS}[verb]
    assert command.epilog.startswith(f"mobilebench {verb}".rstrip())
    _parse(command.epilog)


def test_a_line_that_does_not_parse_is_noticed() -> None:
    with pytest.raises(Exception, match="--presicion"):
        _parse("mobilebench export mobilevig_ti --presicion int8")


def _documented() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        (page.name, line)
        for page in pages
        for line in re.findall(
            r"^\$ (mobilebench .*)$",
            page.read_text(encoding="utf-8").replace("\\\n", " "),
            re.MULTILINE,
        )
    ]


def test_every_command_line_of_the_documentation_parses() -> None:
    lines = _documented()
    assert len(lines) > 40
    for page, line in lines:
        try:
            _parse(line)
        except Exception as error:
            raise AssertionError(f"{page}: {line}: {error}") from error


@pytest.mark.parametrize("verb", [*VERBS, *GROUPS])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_help_fits_its_terminal_and_shows_every_option(
    verb: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    code, text, _ = _ran(capsys, *verb.split(), "--help")
    assert code == 0
    lines = [line.rstrip() for line in text.strip().splitlines()]
    body = [line for line in lines if not line.startswith(("Usage", "  $ "))]
    assert max(map(len, body)) <= min(width, 100)
    assert not re.search(r"<\w|\{\w", text), "typer's notation of types"
    command = {**VERBS, **GROUPS}[verb]
    for option in _options(command):
        [line] = [line for line in lines if re.match(rf"  .{{4}}{option.opts[0]}\b(?!-)", line)]
        assert option.is_flag or re.search(r"--[\w-]+ [A-Z][A-Z,=]*( |$)", line), line
    assert lines[-1] == f"  $ {command.epilog}" and lines[-2] == "Example"


def test_help_of_export_shows_groups_short_names_and_defaults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _, text, _ = _ran(capsys, "export", "-h")
    lines = [line.rstrip() for line in text.strip().splitlines()]
    assert lines[0] == "Usage: mobilebench export [OPTIONS] MODEL..."
    titles = [line for line in lines if re.match(r"[A-Z][^.:]*$", line)]
    assert titles == [
        "Arguments", "The network and its weights", "The files to make", "Images",
        "How the work is done", "Output", "Help", "Example",
    ]  # fmt: skip
    assert "  -c, --checkpoint PATH       Weights to load; without it they are random. For" in text
    assert "      --ema                   Load the averaged" in text
    assert "  -o, --out FOLDER            Folder for the artifacts. Default: artifacts." in text
    assert "Seconds that one conversion may take. Default: 1800." in text


def test_the_program_without_a_word_shows_its_verbs_and_says_what_to_write(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = _ran(capsys)
    assert code == 2
    assert [title for title in Section if f"\n{title}\n" in out] == list(Section)
    assert err == (
        "error: mobilebench needs a command; for example: mobilebench export mobilevig_ti "
        "--format onnx\n"
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "exprot",
            "There is no command called 'exprot'; did you mean export?",
        ),
        (
            "xyz",
            "There is no command called 'xyz'; known: agent, bench, bundle, calibrate, check, ",
        ),
        ("--", "mobilebench needs a command; for example: mobilebench export "),
        ("store chekc", "There is no command called 'chekc'; did you mean check?"),
        ("store", "mobilebench store needs a command; for example: mobilebench store check"),
        (
            "export mobilevig_ti --presicion int8",
            "mobilebench export has no option --presicion; did you mean --precision?",
        ),
        (
            "export mobilevig_ti --resol 224",
            "mobilebench export has no option --resol; did you mean --resolution?",
        ),
        (
            "export mobilevig_ti --ckpt a.pth",
            "mobilebench export has no option --ckpt; did you mean --checkpoint?",
        ),
        (
            "bench a --mean 0.5,0.5,0.5",
            "mobilebench bench has no option --mean; it is an option of export and eval.",
        ),
        (
            "export mobilevig_ti --qqq",
            "mobilebench export has no option --qqq; `mobilebench export --help` lists them.",
        ),
        (
            "gate --depth 3",
            "mobilebench gate has no option --depth; `mobilebench gate --help` lists them.",
        ),
        ("nosuch", "There is no command called 'nosuch'; known: agent, bench, bundle, calibrate, "),
        ("bench a --pairs 10001", "mobilebench bench: --pairs: input should be less than or equal"),
        ("--vresion", "mobilebench has no option --vresion; did you mean --version?"),
        (
            "--json models",
            "mobilebench takes --json only after a command: mobilebench models --json.",
        ),
        ("export", "mobilebench export needs MODEL...; for example: mobilebench export "),
        ("compare a", "mobilebench compare needs B; for example: mobilebench compare "),
        ("check --baseline x", "mobilebench check needs --candidate; for example: mobilebench "),
        ("bench a --pairs", "--pairs needs a value after it."),
        (
            "bench a --threads 0",
            "mobilebench bench: --threads: input should be greater than or equal to 1.",
        ),
        (
            "leaderboard --as htlm",
            "mobilebench leaderboard: --as: There is no value called 'htlm'; did you mean html?",
        ),
        ("models more", "mobilebench models: got unexpected extra argument(s) (more); "),
    ],
)
def test_a_mistyped_word_is_one_sentence_that_says_what_to_write(
    capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    code, out, err = _ran(capsys, *line.split())
    assert code == 2
    assert out == "" or line == "store"
    [written] = err.splitlines()
    assert written.startswith(f"error: {sentence}")


def test_foreign_words_of_a_mistake_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (("bench", "a", "--\x1b[31mthreads"), ("\x1b[31mexport",), ("models", "\x1b[31m")):
        code, _, err = _ran(capsys, *words)
        assert code == 2 and "\x1b" not in err

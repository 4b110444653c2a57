"""Put the vectors to a program in any language, and compare its answers.

A task is one line of JSON on the program's standard input: `id`, `kind` and `given`. An answer is
one line on its standard output: `id` and `answer`, or `id` and `"unsupported": true`.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.errors import ProcessFailed, UserError
from mobilebench.machine.process import Child, signal_name
from mobilebench.notation import quantities
from mobilebench.values import value

OPTIONAL = frozenset({Kind.PROTOCOL, Kind.SIGNATURE, Kind.EVIDENCE, Kind.DIAGNOSES, Kind.THERMAL})
"""Kinds that a device may leave to the computer that reads its records."""
_FLOAT_TOLERANCE = 1e-9
"""Relative difference at which two computed numbers are one: sums in another order differ more
than a last digit, and less than this."""
_LAST_BYTES = 4000
MOST_BYTES = 64_000_000
"""Size of the answers above which they are not read; right ones are a hundred times smaller."""
_DEEPEST = 64
"""Levels of nesting of an answer; the vectors have fewer than ten."""
_LAST_LINES = 5
_WIDTH = 60
"""Characters of a value that a message shows."""
_REFUSED = "refused"
"""In an answer, the sentence that says why; in a vector, the words that it has to hold."""
_NOTHING: tuple[Any, ...] = (None, [], {})


@value
class Result:
    """What a program made of one vector."""

    id: str
    kind: Kind
    about: str
    mistake: str | None
    """What is wrong with the answer, in a clause; None for a right one."""
    supported: bool = True
    """False where the program says that it does not answer such tasks."""

    @property
    def right(self) -> bool:
        """Whether the answer is right, or may be left out."""
        return self.mistake is None


def task(vector: Vector) -> str:
    """Return a vector as the line that a program reads."""
    return json.dumps(
        {"id": vector.id, "kind": vector.kind, "given": vector.given}, allow_nan=False
    )


def ask(command: Sequence[str], vectors: Iterable[Vector], timeout_s: float) -> str:
    """Run a program on the tasks; return what it printed.

    Raises `UserError` where it cannot be started, ends with an error, prints without end, or takes
    too long. Then whatever it started is ended too.
    """
    lines = [f"{task(vector)}\n" for vector in vectors]
    name = " ".join(command)
    if not command or not command[0].strip():
        raise UserError("The command is empty; give a program that reads tasks.")
    with tempfile.TemporaryDirectory(prefix="mobilebench-conformance-") as folder:
        tasks, answers, errors = (Path(folder) / word for word in ("tasks", "answers", "errors"))
        tasks.write_text("".join(lines), encoding="utf-8")

        def is_too_long() -> bool:
            return max(answers.stat().st_size, errors.stat().st_size) > MOST_BYTES

        try:
            with Child(command, log_path=answers, input_path=tasks, errors_path=errors) as child:
                code = child.wait(timeout_s, is_too_long)
        except OSError as error:
            raise UserError(f"{name} cannot be started: {error.strerror}.") from error
        except ProcessFailed as error:
            raise UserError(
                f"{name} did not end within {timeout_s:g} s of getting "
                f"{quantities.counted(len(lines), 'task')}; it has to end when its standard input "
                f"ends."
            ) from error
        if is_too_long():
            raise UserError(
                f"{name} printed more than {quantities.size(MOST_BYTES)}; it has to print one line "
                f"for each task."
            )
        if code:
            end = f"ended with code {code}" if code > 0 else f"was ended by {signal_name(-code)}"
            raise UserError(f"{name} {end}{_last_words(errors)}")
        return answers.read_text(encoding="utf-8", errors="replace")


def _last_words(log: Path) -> str:
    text = log.read_bytes()[-_LAST_BYTES:].decode(errors="replace")
    lines = text.strip().split("\n")[-_LAST_LINES:]
    return f"; its last words: {' | '.join(lines)}" if text.strip() else ""


def read(path: Path) -> str:
    """Read a file of answers. Raises `UserError` where that cannot be done."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UserError(
                f"The answers {path} are larger than {quantities.size(MOST_BYTES)}; give a file "
                f"with one line for each task."
            )
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The answers {path} cannot be read: {error}.") from error


def judge(answers: str, vectors: Iterable[Vector]) -> list[Result]:
    """Compare a program's answers, one on each line, with the vectors.

    Raises `UserError` for a line that is no answer, and for an answer to no task or given twice.
    """
    by_id = _parsed(answers)
    results = [_judged(vector, by_id.pop(vector.id, None)) for vector in vectors]
    if by_id:
        raise UserError(f"There is an answer to {next(iter(by_id))!r}, which is no task.")
    return results


def _parsed(answers: str) -> dict[str, dict[str, Any]]:
    by_id: dict[str, dict[str, Any]] = {}
    # Not `splitlines`: some characters that JSON takes in a string would end a line.
    for number, line in enumerate(answers.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            answer = json.loads(line)
            too_deep = _is_deeper(answer, _DEEPEST)
        except RecursionError:
            too_deep = True
        except ValueError as error:
            raise UserError(f"Line {number} of the answers is not JSON: {error}.") from error
        if too_deep:
            raise UserError(
                f"Line {number} of the answers is nested more than {_DEEPEST} levels deep."
            )
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise UserError(f"Line {number} of the answers has no id.")
        if answer["id"] in by_id:
            raise UserError(f"Line {number} answers {answer['id']} for the second time.")
        by_id[answer["id"]] = answer
    return by_id


def _is_deeper(plain: Any, levels: int) -> bool:
    """Return whether lists and objects are nested in more than some levels."""
    parts = [plain]
    for _ in range(levels):
        parts = [
            inner
            for part in parts
            if isinstance(part, dict | list)
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
        if not parts:
            return False
    return True


def _judged(vector: Vector, answer: dict[str, Any] | None) -> Result:
    if answer is not None and answer.get("unsupported") is True:
        optional = is_optional(vector)
        mistake = None if optional else f"every device has to answer {vector.kind}"
        return Result(
            id=vector.id, kind=vector.kind, about=vector.about, mistake=mistake, supported=False
        )
    if answer is None or "answer" not in answer:
        mistake = "there is no answer"
    else:
        expected = json.loads(json.dumps(vector.expected))
        mistake = _mistake(expected, answer["answer"])
    return Result(id=vector.id, kind=vector.kind, about=vector.about, mistake=mistake)


def is_optional(vector: Vector) -> bool:
    """Return whether a device may leave a task to the computer that reads its records."""
    reads = vector.kind is Kind.RECORD and _REFUSED in vector.expected
    return reads or vector.kind in OPTIONAL


def _mistake(expected: Any, got: Any) -> str | None:
    """Return what is wrong with an answer, in a clause; None for a right one."""
    refused = got.get(_REFUSED) if isinstance(got, dict) else None
    if _REFUSED not in expected:
        if isinstance(refused, str):
            return f"it is refused, and should not be: {refused[:_WIDTH]}"
        return next(_differences(expected, got, "the answer"), None)
    if not isinstance(refused, str):
        return "it is not refused, and should be"
    lost = [word for word in expected[_REFUSED] if word.lower() not in refused.lower()]
    return f"the refusal does not name {', '.join(lost)}: {refused[:_WIDTH]}" if lost else None


def _differences(expected: Any, got: Any, place: str) -> Iterator[str]:
    """Yield where two JSON values differ, in clauses. What is missing is null or empty."""
    if expected in _NOTHING and got in _NOTHING:
        return
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            yield from _differences(expected.get(key), got.get(key), f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(got, list):
        for index, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from _differences(one, other, f"{place}[{index}]")
        if len(expected) != len(got):
            entries = quantities.counted(len(got), "entry", "entries")
            yield f"{place} has {entries}, and should have {len(expected)}"
    elif not _equal(expected, got):
        was, should = _around_the_difference(got, expected)
        yield f"{place} is {was}, and should be {should}"


def _equal(expected: Any, got: Any) -> bool:
    """Return whether two values are the same; whole numbers exactly, others to rounding."""
    numbers = (int, float)
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, numbers) and isinstance(got, numbers):
        if isinstance(expected, int):
            return expected == got
        try:
            return math.isclose(expected, got, rel_tol=_FLOAT_TOLERANCE)
        except OverflowError:  # a whole number that no float can hold
            return False
    return type(expected) is type(got) and expected == got


def _around_the_difference(got: Any, expected: Any) -> tuple[str, str]:
    """Return two values as JSON; of long ones, the part where they begin to differ."""
    texts = json.dumps(got), json.dumps(expected)
    if max(map(len, texts)) <= _WIDTH:
        return texts
    pairs = enumerate(zip(*texts, strict=False))
    same = next((index for index, (one, other) in pairs if one != other), min(map(len, texts)))
    first = max(0, same - _WIDTH // 3)
    one, other = (
        f"{'...' * (first > 0)}{text[first : first + _WIDTH]}{'...' * (len(text) > first + _WIDTH)}"
        for text in texts
    )
    return one, other

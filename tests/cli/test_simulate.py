"""`mobilebench simulate`: policies on simulated phones, as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilebench.thermal import phones
from mobilebench.values import wire
from tests.conftest import Ran

Program = Callable[..., Ran]
KEYS = {
    "policy", "on_time_top1", "top1", "p50_ms", "p90_ms", "p99_ms", "cool_p50_ms",
    "missed_fraction", "longest_miss_run", "shifts_per_minute", "capped_s", "first_capped_s",
    "skin_max_c", "energy_j", "kind",
}  # fmt: skip


def _json(done: Ran) -> Any:
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def test_one_object_a_policy_beside_the_fixed_widths(mobilebench: Program, tmp_path: Path) -> None:
    table = phones.slimmable_widths(24.0)
    wire.write(tmp_path / "my widths.json", table)
    wire.write(tmp_path / "phone.json", phones.named("throttling"))
    arguments = (
        "simulate", "--phone", "phone.json", "--widths", "my widths.json", "--minutes", "3",
        "--fps", "30", "--ambient", "30", "--seed", "1", "--policy", "deadline", "--policy",
        "predictive", "--policy", "fixed", "--policy", "oracle", "--limit", "skin=38", "--json",
    )  # fmt: skip
    objects = _json(mobilebench(*arguments))
    assert [each["policy"] for each in objects] == ["deadline", "predictive", "fixed", "oracle"]
    for each in objects:
        assert set(each) >= KEYS and each["kind"] == "simulated"
        assert each["cool_p50_ms"] == pytest.approx(24.0)
        assert set(each["beside"]) == {"fixed_full", "fixed_smallest", "best_fixed"}
        assert each["accuracy_source"] == table.accuracy_source
    assert objects[2]["on_time_top1"] == objects[0]["beside"]["fixed_full"]["on_time_top1"]
    assert _json(mobilebench(*arguments)) == objects, "the same seed gives the same figures"


def test_a_table_says_that_it_is_simulated(mobilebench: Program) -> None:
    done = mobilebench("simulate", "--phone", "throttling", "--minutes", "12", "--ambient", "32")
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Simulated, not measured: the phone throttling")
    assert [line.split()[0] for line in lines[2:]] == ["deadline", "fixed", "fixed", "fixed"]
    assert "published" in done.stderr


def test_a_policy_file_has_its_own_parameters(mobilebench: Program, tmp_path: Path) -> None:
    (tmp_path / "deaf.json").write_text(
        json.dumps({"rule": "threshold", "parameters": {"slow": 5.0, "guarded": 0.0}})
    )
    objects = _json(
        mobilebench(
            "simulate", "--phone", "throttling", "--ambient", "33", "--minutes", "15",
            "--policy", "threshold", "--policy", "deaf.json", "--json",
        )
    )  # fmt: skip
    assert [each["policy"] for each in objects] == ["threshold", "deaf"]
    assert objects[0]["shifts_per_minute"] > 0 == objects[1]["shifts_per_minute"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--phone", "throtling"), "did you mean throttling"),
        (("--phone", "nowhere.json"), "nowhere.json cannot be read"),
        (("--phone", "."), ". cannot be read: is a directory"),
        (("--phone", "cold.json"), "skin_battery_c_per_w is -1.0"),
        (("--phone", "widths.json"), "is not a valid Phone"),
        (("--phone", "steady", "--widths", "lost.json"), "at widths.1.top1: Field required"),
        (("--phone", "steady", "--widths", "one.json"), "has one width, 1, and nothing to choose"),
        (("--phone", "steady", "--policy", "foreign.json"), "at speed: Unexpected keyword"),
        (("--phone", "steady", "--policy", "odd.json"), "no parameter 'quite_ns'"),
        (("--phone", "steady", "--policy", "dedline"), "did you mean deadline"),
        (("--phone", "steady", "--policy", "fixed", "--policy", "fixed"), "have one name"),
        (("--phone", "steady", "--limit", "skin=40"), "for policies that look at heat"),
        (("--phone", "steady", "--policy", "predictive", "--limit", "skin=104"), "skin_c is 104"),
        (("--phone", "steady", "--policy", "predictive", "--limit", "skin=hot"), "not a number"),
        (("--phone", "steady", "--policy", "predictive", "--limit", "knee=40"), "give status=WORD"),
        (("--phone", "steady", "--policy", "predictive", "--limit", "capped=3"), "is capped=0"),
        (("--phone", "steady", "--policy", "predictive", "--limit", "status=HOT"), "'hot'"),
        (("--phone", "steady", "--minutes", "0"), "--minutes is 0"),
        (("--phone", "steady", "--fps", "nan"), "--fps is nan"),
        (("--phone", "steady", "--ambient", "77"), "--ambient is 77"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    table = wire.to_plain(phones.slimmable_widths(28.0))
    (tmp_path / "widths.json").write_text(json.dumps(table))
    (tmp_path / "one.json").write_text(json.dumps(table | {"widths": table["widths"][:1]}))
    lost = json.loads(json.dumps(table))
    del lost["widths"][1]["top1"]
    (tmp_path / "lost.json").write_text(json.dumps(lost))
    phone = wire.to_plain(phones.named("steady"))
    phone["heat"]["skin_battery_c_per_w"] = -1.0
    (tmp_path / "cold.json").write_text(json.dumps(phone))
    (tmp_path / "foreign.json").write_text(json.dumps({"rule": "deadline", "speed": 3}))
    (tmp_path / "odd.json").write_text(
        json.dumps({"rule": "deadline", "parameters": {"quite_ns": 3.0}})
    )
    done = mobilebench("simulate", *arguments)
    assert done.code == 2 and done.stdout == "", done
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr


def test_every_word_of_android_is_a_status(mobilebench: Program) -> None:
    objects = _json(
        mobilebench(
            "simulate", "--phone", "alarmist", "--minutes", "2", "--policy", "threshold",
            "--limit", "status=MODERATE", "--json",
        )
    )  # fmt: skip
    reasons = [shift["reason"] for shift in objects[0]["shifts"]]
    assert reasons and set(reasons) == {"heat"}


def test_a_timeline_is_drawn_and_refused_in_one_sentence(
    mobilebench: Program, tmp_path: Path
) -> None:
    few = ("simulate", "--phone", "throttling", "--minutes", "2")
    done = mobilebench(*few, "--timeline", "my run.svg")
    assert done.code == 0 and "written: my run.svg" in done.stderr, done.stderr
    drawing = (tmp_path / "my run.svg").read_text()
    assert "simulated" in drawing and "deadline" in drawing and "fixed 1" in drawing
    many = ("--policy", "fixed", "--policy", "deadline", "--policy", "threshold")
    for arguments, words in (
        (("--timeline", "run.gif"), "end it with .svg, .pdf or .png"),
        ((*many, "--timeline", "run.png"), "draws one policy or two, and 3 were given"),
    ):
        refused = mobilebench(*few, *arguments)
        assert refused.code == 2 and words in refused.stderr

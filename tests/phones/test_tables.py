"""A table of records that came from a phone by adb: printed, packed and made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.reproducing import bundle
from mobilebench.values.artifact import Artifact
from tests.conftest import TINY, Ran
from tests.phones.scripted_phone import Phone

ID = "adb:PHONE1"
Program = Callable[..., Ran]


@pytest.mark.slow
def test_a_phones_table_is_printed_packed_and_made_again_on_the_phone(
    phone: Phone, artifact: Artifact, mobilebench: Program, tmp_path: Path
) -> None:
    done = mobilebench(
        "bench", artifact.folder, "--device", ID, "--protocol", "smoke-1", "--fixed-performance"
    )
    assert done.code == 0, done.stderr
    printed = " ".join(mobilebench("leaderboard", "--as", "latex").stdout.split())
    build = "nobody/phone/phone:14/A/1:user/release-keys"
    assert f"Nobody Scripted Phone (a phone; Android 14, build {build})" in printed
    assert r"fixed\_performance=true, phone.\par" in printed, "a condition of the table"
    assert "in the fixed-performance mode, which lowers the highest clock" in printed
    assert "watched the device from outside by adb 34.0.5-scripted" in printed
    assert "the device was not charging in the row" in printed, "as the computer saw it"
    assert "not on a phone" not in printed and "no phone was measured" not in printed

    packed = mobilebench("bundle", "--artifacts", artifact.folder.parent)
    assert packed.code == 0 and "1 row, 0 accuracies, 1 manifest" in packed.stderr
    content = (tmp_path / "table.mbbundle").read_bytes()
    assert b"PHONE1" not in content and str(tmp_path).encode() not in content
    [row] = bundle.read(tmp_path / "table.mbbundle").rows
    assert row.record.seen is not None and row.record.signature is not None

    again = mobilebench(
        "reproduce", "table.mbbundle", "--model", f"models.tiny={TINY}", "--device", ID, "--json"
    )
    assert again.code == 0, again.stderr
    [made] = json.loads(again.stdout)
    assert (made["file"], made["differs_in"]) == ("same file", []), "with the clocks fixed again"
    assert made["not_judged"] is None and made["verdict"] == "inconclusive", "one run a side"
    assert phone.runner() is None and not phone.state().get("fixed_performance")

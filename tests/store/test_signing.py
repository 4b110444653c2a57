"""A signature holds through JSON, and no longer when anything was changed."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.errors import MobilebenchWarning, SchemaError, UserError
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.record import Record
from tests.conftest import Ran
from tests.records import failed_export, measured

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _signed(record: Record) -> Any:
    return json.loads(wire.dumps(signing.sign(record, KEY)))


@pytest.mark.parametrize("record", [measured(), failed_export(target="opset18")])
def test_a_signed_record_is_intact_after_a_trip(record: Record) -> None:
    plain = _signed(record)
    signing.require_intact(plain, "it")
    shuffled = dict(reversed(plain.items()))
    signing.require_intact(json.loads(json.dumps(shuffled, indent=3)), "it")
    assert plain["signature"]["public_key"] == KEY.public_key().public_bytes_raw().hex()


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain["outcome"]["samples"]["latency_ns"].__setitem__(3, 1),
        lambda plain: plain["device"].__setitem__("model", "Another phone"),
        lambda plain: plain.__setitem__("created", "2020-01-01T00:00:00.000Z"),
        lambda plain: plain.pop("job"),
        lambda plain: plain["signature"].__setitem__("value", "00" * 64),
        lambda plain: plain["signature"].__setitem__("value", "no hexadecimal"),
        lambda plain: plain["signature"].__setitem__("public_key", "11" * 32),
        lambda plain: plain.__setitem__("signature", "mine"),
        lambda plain: plain.__setitem__("signature", {}),
    ],
)
def test_a_changed_record_is_refused(change: Callable[[Any], Any]) -> None:
    plain = _signed(measured())
    change(plain)
    with pytest.raises(SchemaError, match="does not match its signature"):
        signing.require_intact(plain, "it")


def test_threads_that_sign_at_the_same_time_have_one_key(tmp_path: Path) -> None:
    for turn in range(20):
        together, keys = Barrier(8), list[str]()

        def sign(turn: int = turn, together: Barrier = together, keys: list[str] = keys) -> None:
            together.wait()
            key = signing.device_key(tmp_path / str(turn) / "device.key")
            keys.append(key.private_bytes_raw().hex())

        threads = [Thread(target=sign) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(keys) == 8 and len(set(keys)) == 1


def test_content_has_one_digest_signed_or_not() -> None:
    record = measured()
    assert signing.sha256(record) == signing.sha256(signing.sign(record, KEY))
    assert signing.sha256(record) != signing.sha256(replace(record, created="2020-01-01T00:00:00Z"))


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "device.key"
    first, second = signing.device_key(path), signing.device_key(path)
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["device.key"]


def test_a_key_that_is_none_is_one_sentence_and_leaves_the_record_unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "device.key"
    path.write_text("a poem")
    with pytest.raises(UserError, match="is not a key file"):
        signing.device_key(path)
    monkeypatch.setenv("MOBILEBENCH_KEY", str(path))
    with pytest.warns(MobilebenchWarning, match="not signed"):
        assert signing.sign(measured()).signature is None


def test_import_takes_what_is_intact_and_refuses_what_is_not(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    plain = _signed(measured())
    (tmp_path / "good.json").write_text(json.dumps(plain))
    assert mobilebench("import", "good.json").code == 0
    assert "not signed" not in mobilebench("leaderboard").stdout
    plain["device"]["model"] = "A faster phone"
    (tmp_path / "bad.json").write_text(json.dumps([plain]))
    done = mobilebench("import", "bad.json")
    assert done.code == 2 and "bad.json, record 1 does not match its signature" in done.stderr
    plain["signature"] = None
    plain["record_id"] = "e" * 32
    (tmp_path / "unsigned.json").write_text(json.dumps(plain))
    assert mobilebench("import", "unsigned.json").code == 0
    assert "not signed" in mobilebench("leaderboard").stdout

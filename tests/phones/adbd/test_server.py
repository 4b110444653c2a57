"""A phone behind a real adbd measures what somebody asked a server for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench.submitting import membership
from mobilebench.values import wire
from mobilebench.values.measurement import Measurement
from tests.phones.adbd.jobs import require_clean
from tests.phones.adbd.phone import Phone
from tests.submitting.lab import agent_at_work, special_lab


def test_a_phone_takes_a_job_of_a_server_and_shows_no_serial_number(
    phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(membership.VARIABLE, str(tmp_path / "servers"))
    monkeypatch.setenv("MOBILEBENCH_KEY", str(tmp_path / "device.key"))
    with special_lab(tmp_path) as lab:
        job = lab.job(device="google-pixel-8-*")
        with agent_at_work(lab, phone.id) as serving:
            done = lab.wait_for(job, "done", "refused", "given_up")
            serving.heard.wait_for("the server has the record")
        assert done["state"] == "done", f"{done}\n{serving.heard.lines}\n{phone.log}"
        record = lab.record(done["record_id"])
        assert isinstance(record.outcome, Measurement) and record.seen is not None
        assert record.device.model == "Google Pixel 8" and record.provenance.transport == "adb"
        public = lab.server.client().get("/v1/devices").text + wire.dumps(record)
        assert phone.serial not in public + "".join(serving.heard.lines) + str(done)
        require_clean(phone)

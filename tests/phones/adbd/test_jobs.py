"""Jobs on phones behind a real adbd: they come back, are read, verified and ranked."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from mobilebench.values.artifact import Artifact
from tests.conftest import Ran
from tests.phones.adbd.jobs import require_clean
from tests.phones.adbd.phone import Phone

Program = Callable[..., Ran]
FORMATS = {"onnxruntime": "onnx", "litert": "tflite", "executorch": "executorch"}


def test_devices_lists_what_the_phone_says(mobilebench: Program, phone: Phone) -> None:
    done = mobilebench("devices", "--json")
    assert done.code == 0, done.stderr
    [listed] = [each for each in json.loads(done.stdout) if each["id"] == phone.id]
    print(listed)


@pytest.mark.parametrize("runtime", FORMATS)
def test_each_runtime_measures_on_the_phone(
    runtime: str, mobilebench: Program, phone: Phone, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts[f"{FORMATS[runtime]}-fp32"].folder
    done = mobilebench("bench", artifact, "--device", phone.id, "--protocol", "smoke-1", "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    assert record["device"]["model"] == "Google Pixel 8"
    assert record["outcome"]["runtime"]["name"] == runtime
    assert record["provenance"]["transport"] == "adb"
    require_clean(phone)

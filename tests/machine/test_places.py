"""Texts that are shared tell nothing of the machine, and stay readable."""

from __future__ import annotations

import getpass
import socket
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from mobilebench.machine import places

PACKAGES = sysconfig.get_paths()["purelib"]


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        (f'File "{PACKAGES}/torch/export.py", line 3', 'File "<packages>/torch/export.py", line 3'),
        (f"{sys.base_prefix}/lib/x.py:105: Warning", "<python>/lib/x.py:105: Warning"),
        ('  File "/usr/My Folder/net.py", line 7', '  File ".../net.py", line 7'),
        ("sum (from /usr/a b/net.py, line 7: x / y)", "sum (from .../net.py, line 7: x / y)"),
        ("cannot open /usr/lib/a/libc.so", "cannot open .../libc.so"),
        (f"{tempfile.gettempdir()}/jane/net.py, line 2", ".../net.py, line 2"),
    ],
)
def test_folders_become_placeholders(text: str, shared: str) -> None:
    assert places.without(text) == shared


@pytest.mark.parametrize(
    "text",
    [
        "node /layer1/conv/Conv of 1/2 and/or Conv_14",
        "https://github.com/microsoft/onnxruntime/blob/main/quantize.py",
        "aten/src/ATen/native.cpp:26: tflite/kernels/div.cc:262 data[i] != zero_point",
        "exported in 5 s, 100 kB/s",
    ],
)
def test_names_of_operations_and_sources_stay(text: str) -> None:
    assert places.without(text) == text


def test_home_working_folder_user_and_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, work = tmp_path / "home" / "jane", tmp_path / "project x"
    for folder in (home, work):
        folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/no/such/folder")
    monkeypatch.setattr(getpass, "getuser", lambda: "jane")
    monkeypatch.setattr(socket, "gethostname", lambda: "lab-7.example.org")
    monkeypatch.chdir(work)
    places._folders.cache_clear()
    places._names.cache_clear()
    try:
        assert places.without(f"{home}/clients/acme/net.py, {work}/net.py") == (
            ".../net.py, .../net.py"
        )
        assert places.without(f"sum (from {work}/a b/net.py, line 7: x)") == (
            "sum (from .../net.py, line 7: x)"
        )
        assert places.without(f"in {work}") == "in ..."
        assert places.without("s3://bucket/jane/a, lab-7, jane and janet") == (
            "s3://bucket/<user>/a, <host>, jane and janet"
        )
    finally:
        places._folders.cache_clear()
        places._names.cache_clear()

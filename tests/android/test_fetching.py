"""Parts come whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mobilebench.errors import UserError
from mobilebench_android import fetching, parts
from mobilebench_android.modules import LIBRARIES
from mobilebench_android.places import CACHE, Unavailable

REGISTRIES = {"npm": {"addresses": ["http://127.0.0.1:9"], "override": "MOBILEBENCH_NPM"}}
JAR = b"PK classes"


def _tgz() -> bytes:
    out = io.BytesIO()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as aar:
        aar.writestr("jni/x86_64/libone.so", b"\x7fELF one")
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in {
            "package/lib/classes.jar": JAR,
            "package/lib/other.txt": b"not taken",
            "package/lib/native.aar": inner.getvalue(),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


CONTENT = _tgz()
ROW: dict[str, Any] = {
    "name": "sample",
    "registry": "npm",
    "version": "1.0",
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "licence": "MIT",
    "take": [
        ["package/lib/*.jar", ""],
        ["package/lib/native.aar!jni/x86_64/*.so", "x86_64"],
    ],
}


class _Registry(BaseHTTPRequestHandler):
    content = CONTENT
    breaks_at: int | None = None
    ranges: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        type(self).ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        body = self.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.breaks_at is not None and not wanted:
            body = body[: self.breaks_at]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Registry]]:
    handler = type("Registry", (_Registry,), {"ranges": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    table = {"registries": REGISTRIES, "parts": [ROW]}
    monkeypatch.setattr(parts, "_table", lambda: table)
    monkeypatch.setattr(fetching, "parts", lambda: parts.read(table))
    monkeypatch.setenv("MOBILEBENCH_NPM", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    yield handler
    server.shutdown()
    server.server_close()


def test_a_part_is_fetched_once_and_only_what_is_taken_is_kept(registry: type[_Registry]) -> None:
    folder = fetching.fetch("sample")
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == [
        "classes.jar",
        "x86_64/libone.so",
    ]
    assert (folder / "classes.jar").read_bytes() == JAR
    assert fetching.fetch("sample") == folder
    assert registry.ranges == [None]


def test_a_part_that_changed_is_refused_and_nothing_is_left(
    registry: type[_Registry], tmp_path: Path
) -> None:
    registry.content = CONTENT + b"more"
    with pytest.raises(UserError, match="nothing of it is used") as raised:
        fetching.fetch("sample")
    assert not isinstance(raised.value, Unavailable), "it must not become a skip"
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.suffix != ".lock"] == []


def test_a_broken_download_goes_on_where_it_ended(registry: type[_Registry]) -> None:
    registry.breaks_at = 100
    fetching.fetch("sample")
    assert registry.ranges == [None, "bytes=100-"]


def test_a_registry_out_of_reach_is_one_line_that_says_what_to_do(
    registry: type[_Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBILEBENCH_NPM", "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as raised:
        fetching.fetch("sample")
    text = str(raised.value)
    assert "npm sample 1.0" in text and "127.0.0.1:9" in text and CACHE in text
    assert "\n" not in text


def test_a_part_for_another_machine_is_one_line(
    registry: type[_Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"registries": REGISTRIES, "parts": [{**ROW, "host": "plan9-mips"}]}
    monkeypatch.setattr(fetching, "parts", lambda: parts.read(table))
    with pytest.raises(Unavailable, match="runs on plan9-mips only"):
        fetching.fetch("sample")


def test_two_processes_fetch_a_part_once(registry: type[_Registry], tmp_path: Path) -> None:
    script = (
        "import sys, json\n"
        "from mobilebench_android import parts, fetching\n"
        "table = json.loads(sys.argv[1])\n"
        "parts._table = lambda: table\n"
        "fetching.parts = lambda: parts.read(table)\n"
        "print(fetching.fetch('sample'))\n"
    )
    table = json.dumps({"registries": REGISTRIES, "parts": [ROW]})
    path = {"PYTHONPATH": ":".join(sys.path)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, table],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **path},
        )
        for _ in range(2)
    ]
    places = {each.communicate(timeout=60)[0] for each in running}
    assert len(places) == 1 and [each.returncode for each in running] == [0, 0]
    assert registry.ranges == [None]


def test_what_is_not_in_the_archive_is_refused(
    registry: type[_Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"registries": REGISTRIES, "parts": [{**ROW, "take": [["package/gone.jar", ""]]}]}
    monkeypatch.setattr(fetching, "parts", lambda: parts.read(table))
    with pytest.raises(UserError, match=r"holds no package/gone\.jar"):
        fetching.fetch("sample")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"licence": ""}, "has no licence"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"registry": "maven"}, "unknown registry"),
        ({"colour": "red"}, "'colour'"),
    ],
)
def test_a_row_that_is_wrong_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        parts.read({"registries": REGISTRIES, "parts": [{**ROW, **change}]})


def test_a_part_is_named_once() -> None:
    with pytest.raises(UserError, match="twice"):
        parts.read({"registries": REGISTRIES, "parts": [ROW, ROW]})


def test_the_table_has_every_part_that_a_library_needs() -> None:
    table = parts.parts()
    assert {library.part for library in LIBRARIES.values()} <= table.keys()
    for part in table.values():
        assert part.addresses[0].startswith("http") and part.licence

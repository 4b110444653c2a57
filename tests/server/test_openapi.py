"""The OpenAPI document, and malformed requests that schemathesis makes from it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mobilebench.server import problems
from mobilebench.server.listen import opened
from mobilebench.server.settings import Limits
from mobilebench.server.tables import METADATA
from mobilebench.store import RecordStore
from tests.server.running import Server, running

CHECKS = (
    "not_a_server_error",
    "negative_data_rejection",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that takes any number of requests."""
    limits = Limits(requests_per_s=10_000, requests_at_once=100_000, failures_per_minute=100_000)
    with running(tmp_path_factory.mktemp("openapi"), limits=limits) as server:
        yield server


def test_every_operation_says_how_it_refuses(server: Server) -> None:
    document = server.client().get("/openapi.json").json()
    paths = document["paths"]
    assert {"/v1/records", "/v1/jobs/next", "/v1/artifacts/{sha256}", "/health"} <= paths.keys()
    open_to_all = {
        ("/v1/enrol", "post"), ("/v1/records", "get"), ("/v1/records/{record_id}", "get"),
        ("/v1/devices", "get"), ("/health", "get"), ("/metrics", "get"),
    }  # fmt: skip
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation.get("description"), path
            refusals = {status for status in operation["responses"] if status >= "400"}
            assert {"400", "422", "429", "503"} <= refusals, path
            for status in refusals:
                assert "application/problem+json" in operation["responses"][status]["content"]
            assert ("security" in operation) is ((path, method) not in open_to_all), path


def test_the_documentation_names_every_code_of_a_refusal() -> None:
    text = (Path(__file__).parents[2] / "docs/server.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \|", text, re.MULTILINE)
    named = {code: int(status) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert named == {name: code.status for name, code in problems.CODES.items()}


def _rows(server: Server) -> dict[str, int]:
    with opened(server.settings) as database, database.reading() as connection:
        counts = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in METADATA.sorted_tables
        }
    with RecordStore(server.settings.store) as store:
        counts["records"] = store.count()
    return {name: count or 0 for name, count in counts.items()}


def _attack(server: Server, folder: Path, examples: int, *more: str) -> int:
    """Let schemathesis send malformed requests, as an administrator; return how many."""
    token = server.token("admin", "submit", "jobs")
    before = _rows(server)
    seen = len(server.lines)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json",
            "--header", f"Authorization: Bearer {token}", "--mode", "negative",
            "--checks", ",".join(CHECKS), "--exclude-path", "/v1/jobs/next",
            "--max-examples", str(examples), "--generation-database", "none", "--seed", "20261127",
            "--continue-on-failure", *more,
        ],
        cwd=folder, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert _rows(server) == before, "something was let in"
    requests = [json.loads(line) for line in server.lines[seen:]]
    statuses = [each["status"] for each in requests if each["event"] == "request"]
    assert not [status for status in statuses if status >= 500 or status == 0]
    assert not [line for line in server.lines if '"traceback"' in line]
    return len(statuses)


def test_malformed_requests_are_refused_and_let_nothing_in(server: Server, tmp_path: Path) -> None:
    assert _attack(server, tmp_path, 12, "--phases", "fuzzing") > 150


@pytest.mark.slow
def test_a_thousand_malformed_requests_are_refused_and_let_nothing_in(
    server: Server, tmp_path: Path
) -> None:
    assert _attack(server, tmp_path, 100, "--phases", "coverage,fuzzing") > 1000

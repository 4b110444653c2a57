"""`mobilebench serve` and `mobilebench server`, as a user runs them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.server.running import enrolment, free_port


def test_a_server_from_the_first_token_to_a_record(
    mobilebench: Callable[..., Any], tmp_path: Path
) -> None:
    token = mobilebench("server", "token", "--scope", "admin")
    assert token.code == 0 and re.fullmatch(r"mb_\w{10}_[\w-]{43}\n", token.stdout)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "mobilebench", "serve", "--port", str(port)],
        env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                assert httpx.get(f"{url}/health", timeout=5).json()["status"] == "ok"
                break
            except httpx.TransportError:
                assert server.poll() is None
                time.sleep(0.1)
        made = mobilebench("server", "enrol", "--alias", "shelf-1", "--url", url)
        assert made.code == 0 and "█" in made.stdout
        code = made.stdout.splitlines()[-2]
        key = Ed25519PrivateKey.generate()
        answer = httpx.post(f"{url}/v1/enrol", json=enrolment(code, key))
        assert answer.json()["device"] == "shelf-1"
        header = {"Authorization": f"Bearer {token.stdout.strip()}"}
        assert len(httpx.get(f"{url}/v1/tokens", headers=header).json()["tokens"]) == 2
        assert "shelf-1" in mobilebench("server", "tokens").stdout
        taken = mobilebench("server", "enrol", "--alias", "shelf-1")
        assert taken.code == 2 and "alias" in taken.stderr
        revoked = mobilebench("server", "revoke", token.stdout.split("_")[1])
        assert revoked.code == 0
        time.sleep(1.1)  # it was revoked by another process: the server knows within a second
        assert httpx.get(f"{url}/v1/me", headers=header).status_code == 401
    finally:
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=30)
    assert f"serving {url}" in errors


def test_a_server_does_not_listen_wider_before_anybody_can_administer_it(
    mobilebench: Callable[..., Any],
) -> None:
    refused = mobilebench("serve", "--host", "0.0.0.0", "--port", str(free_port()))
    assert refused.code == 2
    assert "mobilebench server token --scope admin" in refused.stderr


def test_a_port_that_is_in_use_is_said(mobilebench: Callable[..., Any]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = mobilebench("serve", "--port", str(other.getsockname()[1]))
    assert refused.code == 2 and "in use" in refused.stderr


def test_words_that_are_no_scope_or_alias_are_refused(mobilebench: Callable[..., Any]) -> None:
    scope = mobilebench("server", "token", "--scope", "admn")
    assert scope.code == 2 and "did you mean admin?" in scope.stderr
    alias = mobilebench("server", "enrol", "--alias", "My Phone")
    assert alias.code == 2 and "My Phone" in alias.stderr
    unknown = mobilebench("server", "revoke", "nothing")
    assert unknown.code == 2 and "mobilebench server tokens" in unknown.stderr

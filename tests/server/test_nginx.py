"""Behind nginx with TLS, as docs/server-lab.md says, with the configuration that it shows."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mobilebench.server.settings import MIB, Limits, Settings
from mobilebench.values import wire
from tests.server.running import Server, enrolled, free_port, problem

DOCS = Path(__file__).parents[2] / "docs" / "server-lab.md"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NAME = "bench.example.org"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody else trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "private.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


def _configuration(folder: Path, port: int, behind: int) -> str:
    """Return the configuration of the page, with this test's ports and files in it."""
    [text] = re.findall(r"```nginx\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    chain, private = _certificate(folder)
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/bench.example.org.pem", str(chain)),
        ("/etc/ssl/private/bench.example.org.key", str(private)),
        ("http://127.0.0.1:8400", f"http://127.0.0.1:{behind}"),
    ):
        assert old in text
        text = text.replace(old, new)
    places = "\n".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{text}}}\n"
    )


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, httpx.Client]]:
    """Return a server behind nginx, and a client that comes through it."""
    if NGINX is None:
        pytest.skip("nginx is not here; on Debian: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    port = free_port()
    server = Server(
        Settings(
            store=str(folder / "records.sqlite"),
            files=str(folder / "files"),
            port=free_port(),
            url=f"https://{NAME}:{port}",
            limits=Limits(failures_per_minute=3),
        )
    )
    server.start()
    (folder / "nginx.conf").write_text(_configuration(folder, port, server.settings.port))
    nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    context = ssl.create_default_context(cafile=str(folder / "chain.pem"))
    client = httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        verify=context,
        timeout=60,
        headers={"Host": f"{NAME}:{port}"},
    )
    server.clients.append(client)
    try:
        for _ in range(200):
            try:
                client.get("/health", extensions={"sni_hostname": NAME})
                break
            except httpx.TransportError:
                assert nginx.poll() is None, (folder / "errors").read_text()
                time.sleep(0.05)
        yield server, client
    finally:
        nginx.terminate()
        nginx.wait(timeout=30)
        server.stop()
        for each in server.clients:
            each.close()


SNI = {"sni_hostname": NAME}


def test_a_phone_works_through_nginx(behind: tuple[Server, httpx.Client]) -> None:
    server, client = behind
    admin = {"Authorization": f"Bearer {server.token('admin')}"}
    made = client.post("/v1/enrolments", json={}, headers=admin, extensions=SNI).json()
    assert f"https%3A%2F%2F{NAME}" in made["url"], "the code leads to nginx, not past it"
    phone = enrolled(server)
    record = phone.record()
    answer = client.post(
        "/v1/records",
        content=wire.dumps(record).encode(),
        headers={
            "Authorization": phone.http.headers["authorization"],
            "Content-Type": "application/json",
        },
        extensions=SNI,
    )
    assert answer.status_code == 201
    assert client.get(f"/v1/records/{record.record_id}", extensions=SNI).status_code == 200
    [line] = [line for line in server.lines if '"path": "/v1/records"' in line]
    assert '"client": "127.0.0.1"' in line


def test_a_large_file_comes_through_nginx(behind: tuple[Server, httpx.Client]) -> None:
    server, client = behind
    content = os.urandom(20 * MIB)
    path = f"/v1/artifacts/{hashlib.sha256(content).hexdigest()}"
    header = {"Authorization": f"Bearer {server.token('jobs')}"}
    sent = client.put(path, content=content, headers=header, extensions=SNI)
    assert sent.status_code == 201
    part = client.get(path, headers={**header, "Range": "bytes=5-9"}, extensions=SNI)
    assert (part.status_code, part.content) == (206, content[5:10])


def test_a_request_that_waits_is_not_cut_off(behind: tuple[Server, httpx.Client]) -> None:
    server, client = behind
    phone = enrolled(server)
    header = {"Authorization": phone.http.headers["authorization"]}
    answer = client.get("/v1/jobs/next?wait_s=3", headers=header, extensions=SNI)
    assert answer.status_code == 204


def test_limits_count_whom_nginx_names(behind: tuple[Server, httpx.Client]) -> None:
    _, client = behind
    bad = {"Authorization": "Bearer mb_aaaaaaaaaa_" + "a" * 43}
    # What a client says of itself is not believed: nginx writes the address over it.
    for number in range(20):
        claimed = {**bad, "X-Forwarded-For": f"10.0.0.{number}"}
        answer = client.get("/v1/me", headers=claimed, extensions=SNI)
    assert (answer.status_code, problem(answer)) == (429, "too_many")

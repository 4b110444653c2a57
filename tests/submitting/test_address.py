"""Where a server may be, and what this computer keeps of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.submitting import membership
from mobilebench.submitting.address import Address
from mobilebench.submitting.membership import Membership

TOKEN = "mb_0123_not-a-secret"


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "servers"
    monkeypatch.setenv(membership.VARIABLE, str(folder))
    return folder


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://Bench.Example.org/", "https://bench.example.org"),
        ("https://bench.example.org:443/lab/", "https://bench.example.org/lab"),
        ("https://bench.example.org:8443", "https://bench.example.org:8443"),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("http://localhost:8400", "http://localhost:8400"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:8400", "http://[::1]:8400"),
        ("https://10.0.0.7", "https://10.0.0.7"),
    ],
)
def test_an_address_has_one_form(text: str, written: str) -> None:
    assert str(Address.parse(text)) == written
    assert Address.parse(written) == Address.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://bench.example.org",
        "http://10.0.0.7:8400",
        "http://127.0.0.1.example.org",
        "http://0.0.0.0:8400",
        "http://[::2]",
        "http://localhost.example.org",
    ],
)
def test_http_to_another_computer_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="write https://"):
        Address.parse(text)


@pytest.mark.parametrize(
    "text",
    ["bench.example.org", "", "ftp://x", "https://", "https://x?y", "https://x:99999", "a b"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="address"):
        Address.parse(text)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UserError) as error:
        Address.parse("https://me:hunter2@bench.example.org")
    assert "hunter2" not in str(error.value) and "password" in str(error.value)


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILEBENCH_SERVER", "https://one.example.org")
    assert Address.chosen(None).host == "one.example.org"
    assert Address.chosen("https://two.example.org").host == "two.example.org"
    monkeypatch.delenv("MOBILEBENCH_SERVER")
    with pytest.raises(UserError, match="No server is named"):
        Address.chosen(None)


def test_a_token_is_kept_for_its_server_alone_where_only_its_owner_reads_it(servers: Path) -> None:
    one, two = Address.parse("https://x.example.org"), Address.parse("https://x.example.org:8443")
    path = membership.keep(one, Membership(TOKEN, "shelf-1", ("submit", "jobs")))
    assert path.is_relative_to(servers)
    assert membership.find(one) == Membership(TOKEN, "shelf-1", ("submit", "jobs"))
    assert membership.find(two) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["token.json"]
    assert TOKEN not in repr(membership.find(one))
    with pytest.raises(
        UserError, match="mobilebench enrol CODE --server https://x.example.org:8443"
    ):
        membership.require(two)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_token_that_others_can_read_is_not_used(servers: Path, mode: int) -> None:
    address = Address.parse("https://x.example.org")
    path = membership.keep(address, Membership(TOKEN))
    path.chmod(mode)
    with pytest.raises(UserError, match="chmod 600") as error:
        membership.find(address)
    assert TOKEN not in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_token_of_another_user_is_not_used(servers: Path) -> None:
    address = Address.parse("https://x.example.org")
    path = membership.keep(address, Membership(TOKEN))
    os.chown(path, 12345, 12345)
    with pytest.raises(UserError, match="than its owner"):
        membership.find(address)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b'{"token": 3}', b'{"token": "a b"}', b"[]", b"\xff", b'{"token": "short"}'],
)
def test_a_damaged_token_is_one_sentence(servers: Path, content: bytes) -> None:
    address = Address.parse("https://x.example.org")
    path = membership.keep(address, Membership(TOKEN))
    path.write_bytes(content)
    with pytest.raises(UserError, match="does not hold a token; remove it"):
        membership.find(address)

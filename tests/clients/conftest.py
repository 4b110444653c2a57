"""A real server, and both apps' clients on simulated phones: Kotlin on the JVM, Swift on Linux."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobilebench_android.compiling import compile_modules
from mobilebench_android.java import jdk
from mobilebench_ios import testing as swift_testing
from mobilebench_ios.places import output as swift_output
from mobilebench_ios.swift import swift
from tests.building import pytest_runtest_call, pytest_runtest_setup
from tests.clients.phone import Phone
from tests.clients.server import Server

__all__ = ["pytest_runtest_call", "pytest_runtest_setup"]

Command = Callable[[Path, list[str]], list[str]]


def _kotlin() -> Command:
    classpath = os.pathsep.join(map(str, compile_modules(["conformance"]).classpath))
    program = [str(jdk().java), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classpath]
    main = "mobilebench.conformance.MainKt"
    return lambda folder, words: [*program, main, "server", str(folder), *words]


def _swift() -> Command:
    tool = swift()
    program = swift_testing.build(product="BenchConformance") / "BenchConformance"
    return lambda folder, words: tool.command([program, "server", folder, *words])


_CLIENTS = {"kotlin": _kotlin, "swift": _swift}


@pytest.fixture(scope="session", params=_CLIENTS)
def command(request: pytest.FixtureRequest) -> Command:
    """What runs a client in a folder."""
    return _CLIENTS[request.param]()


@pytest.fixture
def phones(command: Command) -> Iterator[Callable[[], Phone]]:
    """What gives new phones, each with an empty folder."""
    # Swift's programs see what lies below its outputs alone.
    folders = swift_output() / "clients" / uuid.uuid4().hex
    made: list[Phone] = []

    def phone() -> Phone:
        folder = folders / f"phone-{len(made)}"
        folder.mkdir(parents=True)
        made.append(Phone(folder, lambda words: command(folder, words)))
        return made[-1]

    yield phone
    for each in made:
        each.kill()
    shutil.rmtree(folders, ignore_errors=True)


@pytest.fixture
def phone(phones: Callable[[], Phone]) -> Phone:
    """Return a phone that nothing is on."""
    return phones()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a server that was not started yet."""
    server = Server(tmp_path / "server")
    yield server
    server.kill()

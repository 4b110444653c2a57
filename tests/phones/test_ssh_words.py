"""What is said and read of boards, without a board: ids, errors of SSH, recorded devices."""

from __future__ import annotations

import dataclasses
import os
import re
import zipfile
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.measuring import devices, engine
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.obstacles import Obstacle
from mobilebench_device_runners import ssh
from mobilebench_device_runners._board.kernel import Kernel
from mobilebench_device_runners._board.place import Board
from mobilebench_device_runners._ssh import environment, survey, target, wheel
from mobilebench_device_runners._ssh.link import explain_death
from mobilebench_device_runners._ssh.problems import is_of_client, problem
from mobilebench_device_runners._tools import Answer
from tests.phones.replay import names, recorded, tools
from tests.protocols import QUICK


@pytest.mark.parametrize(
    ("text", "arguments", "typed"),
    [
        ("ssh:my-board", ("my-board",), "my-board"),
        ("ssh:pi@10.0.0.2", ("-l", "pi", "10.0.0.2"), "pi@10.0.0.2"),
        ("ssh:pi@box.local:2200", ("-p", "2200", "-l", "pi", "box.local"), "-p 2200 pi@box.local"),
        ("ssh:pi@[fe80::1%eth0]:22", ("-p", "22", "-l", "pi", "fe80::1%eth0"), None),
    ],
)
def test_an_id_names_a_host_as_ssh_does(
    text: str, arguments: tuple[str, ...], typed: str | None
) -> None:
    board = target.parse(text)
    assert board.arguments == arguments and board.device_id == text
    assert typed is None or board.typed == typed


@pytest.mark.parametrize(
    "text",
    [
        "ssh:",
        "ssh",
        "ssh:-oProxyCommand=true",
        "ssh:pi@-l",
        "ssh:a b",
        "ssh:a;b",
        "ssh:pi@h:0",
        "ssh:pi@h:99999",
        "ssh:pi@fe80::1",
        "adb:1",
    ],
)
def test_an_id_that_ssh_would_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        target.parse(text)


# As OpenSSH 9.2 prints them.
_CHANGED = b"""@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Offending ED25519 key in /home/me/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f "/home/me/.ssh/known_hosts" -R "[box]:2200"
Host key for [box]:2200 has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("stderr", "mend", "passes"),
    [
        (_CHANGED, 'ssh-keygen -f "/home/me/.ssh/known_hosts" -R "[box]:2200"', False),
        (
            b"No ED25519 host key is known for [box]:2200 and you have requested strict checking.\n"
            b"Host key verification failed.\n",
            "ssh -p 2200 pi@box once",
            False,
        ),
        (b"pi@box: Permission denied (publickey).\n", "ssh-copy-id -p 2200 pi@box", False),
        (
            b"ssh: connect to host box port 2200: Connection refused\n",
            "sudo systemctl enable --now ssh",
            True,
        ),
        (
            b"ssh: Could not resolve hostname box: Name or service not known\n",
            "No host has the name box",
            True,
        ),
        (b"ssh: connect to host box port 2200: No route to host\n", "its power", True),
        (b"Timeout, server box not responding.\r\n", "its power", True),
        (
            b'"System is booting up. See pam_nologin(8)"\nConnection closed by 1.2.3.4\n',
            "a minute",
            True,
        ),
        (b"something new\n", "something new", True),
    ],
)
def test_each_way_of_not_reaching_a_board_names_its_mend(
    stderr: bytes, mend: str, passes: bool
) -> None:
    found = problem(Answer(("ssh",), 255, b"", stderr), target.parse("ssh:pi@box:2200"))
    assert mend in found.sentence and found.passes is passes


def test_exit_status_255_of_a_command_is_not_that_of_ssh() -> None:
    # vcgencmd of a user without the group video.
    denied = Answer(("ssh",), 255, b"VCHI initialization failed\n", b"")
    assert not is_of_client(denied)
    assert is_of_client(Answer(("ssh",), 255, b"", b"client_loop: send disconnect: Broken pipe\n"))
    assert is_of_client(Answer(("ssh",), 255))


_PI = """machine=aarch64
bits=64
glibc=2.36
python=3.11 /usr/bin/python3
writable=yes
free_kib=9000000
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("machine=aarch64", "machine=armv7l"), "armv7l"),
        (("bits=64", "bits=32"), "programs of 32"),
        (("glibc=2.36", "musl=/lib/ld-musl-aarch64.so.1"), "musl"),
        (("glibc=2.36", "glibc=2.27"), "glibc 2.27, and the wheels of onnxruntime need 2.28"),
        (("python=3.11 /usr/bin/python3", ""), "and it has none"),
        (("python=3.11", "python=3.10"), "its Python is 3.10"),
        (("writable=yes", ""), "cannot be written"),
        (("free_kib=9000000", "free_kib=1000"), "0 MB free"),
    ],
)
def test_a_board_that_cannot_have_the_environment_is_told_why(
    change: tuple[str, str], words: str
) -> None:
    oldest = environment.RUNTIMES["onnxruntime"].glibc
    survey.parse(_PI).require("box", "onnxruntime", oldest)
    with pytest.raises(UserError, match="The board box cannot run onnxruntime: ") as caught:
        survey.parse(_PI.replace(*change)).require("box", "onnxruntime", oldest)
    assert words in str(caught.value)


def test_uv_brings_the_python_that_a_board_lacks() -> None:
    found = survey.parse(_PI.replace("python=3.11 /usr/bin/python3", "uv=/home/pi/.local/bin/uv"))
    found.require("box", "onnxruntime", (2, 28))
    assert found.python is None and found.uv == "/home/pi/.local/bin/uv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit=\nlog=\noom=\n", "it vanished"),
        ("exit=137\nlog=\noom=\n", "it was killed (signal 9)"),
        ("exit=137\nlog=\noom=Out of memory: Killed process 7 (python)\n", "for want of memory"),
        ("exit=1\nlog=ImportError: x\noom=\n", "exit status 1: ImportError: x"),
    ],
)
def test_a_death_is_explained(text: str, words: str) -> None:
    assert words in (explain_death(text) or "")


def test_boards_are_listed_where_the_user_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ssh.BOARDS, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert ssh.named_boards() == ()
    ssh.boards_file().parent.mkdir(parents=True, exist_ok=True)
    ssh.boards_file().write_text("# on the shelf\npi@a:22, ssh:b\nb # twice\n")
    assert ssh.named_boards() == ("ssh:pi@a:22", "ssh:b")
    monkeypatch.setenv(ssh.BOARDS, "c")
    assert ssh.named_boards() == ("ssh:c",)
    monkeypatch.setenv(ssh.BOARDS, "c -d")
    with pytest.raises(UserError, match="names no board"):
        ssh.named_boards()


@pytest.mark.parametrize("name", names("board"))
def test_a_recorded_board_is_listed_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = recorded(name)
    tools(tmp_path / "bin", device, ["ssh"])
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(ssh.BOARDS, "pi@box")
    [attached] = ssh.SshRunner().attached()
    expect = device["expect"]
    assert attached.id == "ssh:pi@box" and attached.model == expect.get("model", attached.model)
    assert [each.value for each in attached.why_not] == expect["why_not"]
    assert {each.value for each in attached.warnings} >= set(expect["warn"])
    usable = [each.id for each in ssh.SshRunner().devices()]
    assert usable == (["ssh:pi@box"] if expect["usable"] else [])


def test_a_board_without_answer_is_listed_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ssh.BOARDS, "nobody@board.invalid")
    [attached] = ssh.SshRunner().attached()
    assert attached.why_not == (Obstacle.UNREACHABLE,)
    assert "No host has the name board.invalid" in attached.mends[0]
    monkeypatch.delenv(ssh.BOARDS)
    assert ssh.SshRunner().attached("ssh:nobody@board.invalid") == (attached,)
    [offer] = devices.offers("ssh:nobody@board.invalid")
    assert not offer.usable or offer.why_not, "also where it is not listed"
    text = attached.without_names(
        f"pi: {attached.mends[0]}; 192.168.7.8 port 22, board.invalid: refused"
    )
    assert "board.invalid" not in text and "192.168" not in text
    with pytest.raises(UserError, match="No host has the name"):
        ssh.SshRunner().reach("ssh:nobody@board.invalid")


def _system(folder: Path, name: str) -> Path:
    """Lay a recorded board's files of the kernel out below a folder."""
    for path, content in recorded(name)["sysfs"].items():
        place = folder / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            place.write_text(content)
    return folder


@pytest.fixture
def pi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A Raspberry Pi whose firmware answers one after another what was recorded."""
    programs = tools(tmp_path / "bin", recorded("p01-pi4-throttled-undervoltage"), ["ssh"])
    program = programs / "vcgencmd"
    program.write_text(f'#!/bin/sh\nexec {programs / "ssh"} board vcgencmd "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return Board(
        "0123456789ab", Kernel(_system(tmp_path / "root", "p01-pi4-throttled-undervoltage"))
    )


def test_what_the_firmware_reports_becomes_events(
    pi: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobilebench_device_runners._board.kernel._CLOCK_EVERY_S", 0.0)
    states, events = [], []
    for time_ns in range(3):
        states.append(pi.state(lambda now=time_ns: now, 0.0))  # type: ignore[misc]
        events.append(pi.events())
    assert [state.thermal for state in states] == [
        ThermalState.NOMINAL,
        ThermalState.NOMINAL,  # the supply is too weak, and that is not heat
        ThermalState.FAIR,
    ]
    assert [round(state.cpu_mhz or 0) for state in states] == [1800, 600, 1200]
    assert [round(state.cpu_cap_mhz or 0) for state in states] == [1800, 600, 1800]
    assert states[0].temperatures_c == {"cpu-thermal": 47.228}
    assert states[0].governor == "ondemand"
    [none], [capped], [lifted] = [each or (None,) for each in events]
    assert none is None
    assert isinstance(capped, Event) and capped.kind is EventKind.CLOCK_CAP
    assert capped.readings == {"cap_mhz": 600.117184}
    assert capped.note == "the firmware reports: under voltage, throttled"
    assert isinstance(lifted, Event)
    assert lifted.note == "the firmware reports: soft temp limit"


def test_a_board_describes_itself(pi: Board) -> None:
    device = pi.device()
    assert device.id == "ssh:0123456789ab" and device.kind == "board"
    assert [(each.count, each.max_mhz) for each in device.clusters or ()] == [(4, 1800.0)]


def test_a_flag_that_only_stayed_since_the_start_is_an_event(tmp_path: Path) -> None:
    root = _system(tmp_path / "root", "p02-pi3-vcgencmd-denied")
    flags = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
    flags.write_text("0\n")
    board = Board("0123456789ab", Kernel(root))
    board.state(lambda: 0, 0.0)
    flags.write_text("10000\n")
    board.state(lambda: 1, 0.0)
    [event] = board.events()
    assert event.note == "the firmware reports: under voltage"
    board.state(lambda: 2, 0.0)
    assert board.events() == ()


def test_a_flag_of_before_is_no_fault_of_the_run(tmp_path: Path) -> None:
    root = _system(tmp_path / "root", "p02-pi3-vcgencmd-denied")
    board = Board("0123456789ab", Kernel(root))
    for time_ns in range(3):
        state = board.state(lambda now=time_ns: now, 0.0)  # type: ignore[misc]
    assert state.thermal is ThermalState.FAIR, "the soft limit holds now"
    assert board.events() == ()


def test_a_zone_that_gives_nothing_is_absent_and_not_zero(tmp_path: Path) -> None:
    board = Board("0123456789ab", Kernel(_system(tmp_path / "root", "p03-jetson-orin-nvpmodel")))
    state = board.state(lambda: 0, 0.0)
    assert state.temperatures_c == {
        "cpu-thermal": 46.812,
        "gpu-thermal": 46.031,
        "soc0-thermal": 45.5,
        "tj-thermal": 46.812,
    }
    assert state.thermal is None and state.unreadable["thermal"] == "absent"


def test_a_kernel_that_cools_by_its_clock_is_hot(tmp_path: Path) -> None:
    root = _system(tmp_path / "root", "p03-jetson-orin-nvpmodel")
    device = root / "sys/class/thermal/cooling_device0"
    device.mkdir(parents=True)
    (device / "type").write_text("cpufreq-cpu0\n")
    (device / "cur_state").write_text("0\n")
    board = Board("0123456789ab", Kernel(root))
    assert board.state(lambda: 0, 0.0).thermal is ThermalState.NOMINAL
    (device / "cur_state").write_text("2\n")
    assert board.state(lambda: 1, 0.0).thermal is ThermalState.SERIOUS


def test_events_come_at_the_time_of_the_reading() -> None:
    ticks = iter(range(0, 10**9, 1000))
    happened = [Event(t_ns=0, kind=EventKind.CLOCK_CAP)]

    def events() -> tuple[Event, ...]:
        taken, happened[:] = tuple(happened), []
        return taken

    clock = lambda: next(ticks)  # noqa: E731
    tools_ = engine.Instruments(clock, lambda ns: None, lambda: DeviceState(t_ns=0), events)
    protocol = dataclasses.replace(QUICK, inferences=1)
    taken = engine.run(protocol, lambda: lambda: None, tools_)
    [event] = taken.events
    assert event.t_ns == taken.states[0].t_ns > 0


def test_the_page_names_every_wheel_that_a_board_needs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()
    [command] = [part for part in page.split("```") if part.startswith("sh\npip download")]
    for requirement in wheel.requirements(("onnx", "onnxruntime")):
        assert re.split(r"[<>=!~]", requirement)[0] in command


def test_a_wheel_of_the_same_sources_has_the_same_bytes(tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths.append(wheel.write(tmp_path / name))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with zipfile.ZipFile(paths[0]) as content:
        names = content.namelist()
    assert "mobilebench_device_runners/_board/__main__.py" in names
    assert not [name for name in names if "__pycache__" in name]

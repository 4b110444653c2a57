"""Scripted phones behind a real adbd, and the adb that reaches them.

A phone is a folder: its storage, and a script of what its system says. Its processes run in
namespaces of their own, with a root in which the phone's folders stand beside this machine's
programs. All phones of a `Bench` share a network that leads nowhere else, since adbd asks nobody
for a key. In the app's place runs its own core with its runners, on a Java machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mobilebench_android.compiling import compile_modules
from mobilebench_android.java import jdk
from mobilebench_android.natives import on_glibc
from mobilebench_android.places import Unavailable
from tests.phones.adbd.parts import AdbParts

INSIDE = Path(__file__).with_name("inside")
_LIKE = Path(__file__).parent.parent / "data" / "a01-pixel-a15-two-sections.json"
"""What the scripted phone says where nothing else was told."""
_SERIES = Path(__file__).parents[2] / "data" / "thermal"
MAIN = "mobilebench.natives.AppKt"
APP = "mobilebench.app"
APP_DATA = f"sdcard/Android/data/{APP}"
JOBS = f"{APP_DATA}/files/jobs"
PORT = 5137
"""Of the adb server, within the network of the phones."""
_STATUSES = ("NONE", "LIGHT", "MODERATE", "SEVERE", "CRITICAL", "EMERGENCY", "SHUTDOWN")
_READY = "print('ready', flush=True)"
_LOOPBACK = (
    "import fcntl, signal, socket, struct\n"
    "with socket.socket() as any_socket:\n"
    "    fcntl.ioctl(any_socket, 0x8914, struct.pack('16sh', b'lo', 0x41))\n"
)
_WAIT = "signal.pause()\n"
_LONGEST_S = 20.0
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def app_command() -> dict[str, Any]:
    """Return how the app is started on a Java machine; compiles it where it is not yet."""
    compiled = compile_modules(["natives"])
    settings = on_glibc.java_settings(on_glibc.libraries())
    path = os.pathsep.join(map(str, compiled.classpath))
    places = [
        f"-Dmobilebench.{name}={place}"
        for name, place in (
            ("jobs", f"/{JOBS}"),
            ("files", f"/{APP_DATA}/files/private"),
            ("phone", "/phone/state.json"),
        )
    ]
    # The quick compiler and the simple collector: most runs are short.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    words = [jdk().java.resolve(), *quick, *settings.options, *places, "-cp", path, MAIN]
    return {"arguments": list(map(str, words)), "environment": dict(settings.environment)}


class Bench:
    """A network of its own with an adb server, to which phones are attached."""

    def __init__(self, folder: Path, parts: AdbParts) -> None:
        """Raises `Unavailable` where this machine makes no namespaces."""
        self.folder = folder
        self.parts = parts
        self._phones: list[Phone] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        for program in ("unshare", "nsenter"):
            if shutil.which(program) is None:
                raise Unavailable(
                    f"a phone behind adbd needs {program} of util-linux; install util-linux"
                )
        self._holder = _hold(
            ["unshare", *self._user, *["--net", "--pid", "--fork", "--kill-child", "--"]],
            f"{_LOOPBACK}{_READY}\n{_WAIT}",
        )
        self._write_adb()

    def _write_adb(self) -> None:
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        # Its servers end with the bench: they are processes of a space that it holds.
        processes = f"--pid=/proc/{self._holder.pid}/ns/pid_for_children"
        enter, *rest = self.entered()
        command = shlex.join([enter, processes, *rest, str(self.parts.adb)])
        own = shlex.quote(str(self.folder))
        settings = f"HOME={own} TMPDIR={own} ANDROID_ADB_SERVER_PORT={PORT}"
        program = self.programs / "adb"
        program.write_text(f'#!/bin/sh\n{settings} exec {command} "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    def entered(self) -> list[str]:
        """Return the command that runs another one in the bench's network."""
        spaces = f"/proc/{self._holder.pid}/ns"
        user = [f"--user={spaces}/user", "--preserve-credentials"] if self._user else []
        return ["nsenter", *user, f"--net={spaces}/net", "--"]

    @property
    def path(self) -> str:
        """A PATH on which adb is the one that reaches the phones."""
        return f"{self.programs}{os.pathsep}{os.environ['PATH']}"

    def adb(self, *args: str, timeout_s: float = 30) -> subprocess.CompletedProcess[str]:
        """Run adb; it reaches the phones alone."""
        return subprocess.run(
            [self.programs / "adb", *args],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def phone(self, name: str = "phone", storage_mb: int = 400) -> Phone:
        """Start a phone and attach it."""
        phone = Phone(self, self.folder / name, 6555 + 2 * len(self._phones), storage_mb)
        self._phones.append(phone)
        phone.boot()
        return phone

    def close(self) -> None:
        """End all that was started."""
        for phone in self._phones:
            phone.close()
        self.adb("kill-server")
        _end(self._holder)


class Phone:
    """One scripted phone."""

    def __init__(self, bench: Bench, place: Path, port: int, storage_mb: int) -> None:
        self._bench = bench
        self._place = place
        self._script = place / "script"
        self.port = port
        self.serial = f"127.0.0.1:{port}"
        self.id = f"adb:{self.serial}"
        self._init: int | None = None
        self._booted: subprocess.Popen[bytes] | None = None
        self._plugged = threading.Event()
        self._closing = threading.Event()
        (place / "storage").mkdir(parents=True)
        for name in ("answers", "ended"):
            (self._script / name).mkdir(parents=True)
        self._write_script()
        # The storage outlives a restart of the phone.
        size = f"size={storage_mb}m"
        code = (
            "import os, signal, subprocess, sys\n"
            f"subprocess.run(['mount', '-t', 'tmpfs', '-o', {size!r}, 'storage', "
            f"{str(place / 'storage')!r}], check=True)\n{_READY}\n{_WAIT}"
        )
        self._holder = _hold([*bench.entered(), "unshare", "--mount", "--"], code)
        self._cable = threading.Thread(target=self._keep_plugged, daemon=True)
        self._cable.start()

    def _write_script(self) -> None:
        told = json.loads(_LIKE.read_text())
        replies = {r["cmd"]: r.get("stdout", "") for r in told["replies"] if r["on"] == "device"}
        for command, text in replies.items():
            # The app that it was written for has another name.
            name, text = (
                t.replace("dev.example.bench", "mobilebench.app") for t in (command, text)
            )
            (self._script / "answers" / name).write_text(text)
        properties = dict(re.findall(r"\[(.*?)\]: \[(.*?)\]", replies["getprop"]))
        properties |= {"ro.serialno": self._place.name, "sys.boot_completed": "1"}
        battery = {
            name: int(number)
            for name, number in re.findall(r"(?m)^  ([\w ]+): (\d+)$", replies["dumpsys battery"])
        }
        battery["plugged"] = 2
        state = {
            "properties": properties,
            "battery": battery,
            "battery_found": battery,
            "thermal_status": 0,
            "thermal_override": None,
            "heat_began": None,
            "screen": True,
            "locked": False,
            "secure": False,
            "fixed_performance": False,
            "settings": {"global low_power": "0"},
            "app": None,
            "app_command": app_command(),
            "refuses_install": None,
            "install": f"{self._place.name}-0",
            "installs": 0,
            "starts": 0,
            "exits": [],
            "delays": {},
            "log_commands": True,
        }
        (self._script / "state.json").write_text(json.dumps(state, indent=1))
        boot = {
            "python": sys.executable,
            "adbd": self._bench.parts.daemon,
            "port": self.port,
            "sys": {path: text for path, text in told["sysfs"].items() if isinstance(text, str)},
        }
        (self._place / "boot.json").write_text(json.dumps(boot))

    # What the phone says.

    @property
    def state(self) -> dict[str, Any]:
        """What the phone says now."""
        with self._locked():
            said: dict[str, Any] = json.loads((self._script / "state.json").read_text())
        return said

    def say(self, **changes: object) -> None:
        """Let the phone say something else from now on."""
        with self._locked():
            place = self._script / "state.json"
            said = {**json.loads(place.read_text()), **changes}
            neighbour = self._script / "state.next"
            neighbour.write_text(json.dumps(said, indent=1))
            neighbour.replace(place)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._script / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def install_app(self, version: str, code: int, signer: str | None = None) -> None:
        """Have the app installed already."""
        self.say(app={"version": version, "code": code, "signer": signer})

    def heat(self, series: str, minute_s: float) -> None:
        """Replay a series of a real phone from the next start of the app on, a minute quicker."""
        rows = (_SERIES / f"{series}.csv").read_text().splitlines()[1:]
        lines = []
        for row in rows:
            minute, _, _, _, status, _, celsius = row.split(",")
            at = (int(minute) - 1) * minute_s
            lines.append(f"{at} {_STATUSES.index(status)} {round(float(celsius) * 10)}\n")
        (self._script / "heat").write_text("".join(lines))
        self.say(heat_began=None)

    @property
    def log(self) -> str:
        """What the app wrote into the system's log, and what its Java machine complained of."""
        files = [self._script / name for name in ("logcat", "app.err", "adbd.out", "boot.err")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    @property
    def commands(self) -> list[str]:
        """The commands that the phone was given."""
        file = self._script / "commands.log"
        return file.read_text().splitlines() if file.is_file() else []

    @property
    def app_starts(self) -> list[str]:
        """The commands that started a job in the app."""
        return [each for each in self.commands if each.startswith("am start") and " job " in each]

    # Its files and processes.

    @property
    def root(self) -> Path:
        """The phone's own root, seen from this machine."""
        return Path(f"/proc/{self._init}/root")

    @property
    def boot_id(self) -> str:
        """What changes when the phone restarts."""
        return (self._place / "boot_id").read_text().strip()

    @property
    def jobs(self) -> list[str]:
        """Names in the app's folder of jobs."""
        folder = self.root / JOBS
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    @property
    def app_pid(self) -> int | None:
        """The app's process, by the number that the phone itself gives; None where none runs."""
        answer = self._inside("pidof", "mobilebench.app")
        return int(answer) if answer else None

    def kill_app(self, number: int = signal.SIGKILL) -> None:
        """End the app's process from within the phone."""
        pid = self.app_pid
        assert pid is not None, f"no app runs\n{self.log}"
        self._inside("/bin/kill", f"-{int(number)}", str(pid))

    def _inside(self, *command: str) -> str:
        spaces = f"/proc/{self._init}/ns"
        enter = ["nsenter", f"--mount={spaces}/mnt", f"--pid={spaces}/pid", f"--root={self.root}"]
        user = [f"--user={spaces}/user", "--preserve-credentials"] if os.geteuid() else []
        done = subprocess.run(
            [*enter, *user, "--", "/usr/bin/env", "PATH=/system/bin:/usr/bin:/bin", *command],
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return done.stdout.strip()

    def fill(self, free_bytes: int = 0) -> None:
        """Fill the phone's storage but for some bytes."""
        filler = os.open(self.root / "data/filler", os.O_WRONLY | os.O_CREAT)
        try:
            # The app may write meanwhile, so it takes what is there bit by bit.
            for piece in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while os.write(filler, bytes(piece)) == piece:
                        pass
            os.ftruncate(filler, os.fstat(filler).st_size - free_bytes)
        finally:
            os.close(filler)

    def empty(self) -> None:
        """Free what `fill` took."""
        (self.root / "data/filler").unlink()

    # What happens to it.

    def boot(self) -> None:
        """Start the phone, and wait until adb lists it."""
        spaces = f"/proc/{self._holder.pid}/ns"
        user = [f"--user={spaces}/user", "--preserve-credentials"] if os.geteuid() else []
        enter = ["nsenter", *user, f"--net={spaces}/net", f"--mount={spaces}/mnt", "--"]
        split = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--"]
        with (self._script / "boot.err").open("wb") as errors:
            self._booted = subprocess.Popen(
                [*enter, *split, sys.executable, "-IS", INSIDE / "boot.py", self._place],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_end_with_tests,
            )
        _until(lambda: self._find_init() or self._booted.poll() is not None, "starts")
        if self._booted.poll() is not None:
            raise RuntimeError(f"the phone did not start: {self.log}")
        self.plug()

    def _find_init(self) -> bool:
        children = Path(f"/proc/{self._booted.pid}/task/{self._booted.pid}/children")
        pids = children.read_text().split() if children.is_file() else []
        self._init = int(pids[0]) if pids else None
        return self._init is not None and (self.root / "phone/state.json").is_file()

    def shut_down(self) -> None:
        """End all processes of the phone at once, as an empty battery does."""
        self._plugged.clear()
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, signal.SIGKILL)
        if self._booted is not None:
            _end(self._booted)
        self._init = None
        if self._has_server():
            self._let_go()

    def reboot(self, off_s: float = 2.0) -> None:
        """Start the phone anew after a while; its files stay."""
        self.shut_down()
        time.sleep(off_s)
        self.boot()

    def unplug(self) -> None:
        """Pull the cable: adbd ends, and what else runs on the phone goes on."""
        self._plugged.clear()
        os.kill(self._init, signal.SIGUSR1)
        if self._has_server():
            self._let_go()

    def plug(self) -> None:
        """Put the cable in, and wait until adb lists the phone."""
        os.kill(self._init, signal.SIGUSR2)
        self._plugged.set()
        _until(self.is_listed, "is listed by adb", lambda: self.log)

    def is_listed(self) -> bool:
        """Whether adb can use the phone now."""
        return f"{self.serial}\tdevice" in self._bench.adb("devices").stdout

    def _keep_plugged(self) -> None:
        """Have each adb server that runs find the phone, as it finds one on a cable."""
        while not self._closing.wait(0.2):
            if self._plugged.is_set() and self._has_server() and not self._is_connected():
                self._let_go()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._bench.adb("connect", self.serial, timeout_s=5)
                self._closing.wait(0.5)

    def _let_go(self) -> None:
        """Have the server forget the phone; it would try to connect by itself as well."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._bench.adb("disconnect", self.serial, timeout_s=5)

    def _has_server(self) -> bool:
        return any(row[1].endswith(f":{PORT:04X}") and row[3] == "0A" for row in self._sockets())

    def _is_connected(self) -> bool:
        return any(
            row[2].endswith(f":{self.port:04X}") and row[3] == "01" for row in self._sockets()
        )

    def _sockets(self) -> list[list[str]]:
        table = Path(f"/proc/{self._holder.pid}/net/tcp").read_text()
        return [line.split() for line in table.splitlines()[1:]]

    def close(self) -> None:
        """End the phone."""
        self._closing.set()
        self._cable.join()
        self.shut_down()
        _end(self._holder)


def _hold(enter: list[str], code: str) -> subprocess.Popen[bytes]:
    """Start a process that only holds namespaces open. Raises `Unavailable` where it cannot."""
    holder = subprocess.Popen(
        [*enter, sys.executable, "-IS", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_end_with_tests,
    )
    assert holder.stdout is not None and holder.stderr is not None
    if holder.stdout.readline().strip() != b"ready":
        holder.wait()
        why = holder.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        _end(holder)
        raise Unavailable(
            f"a phone behind adbd needs a network namespace, and this machine makes none "
            f"({' '.join(why)}); run this as root, or allow user namespaces"
        )
    return holder


def _end_with_tests() -> None:
    """Have the system end this process when its parent is gone, however that ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _until(happened: Callable[[], bool], what: str, more: Callable[[], str] = lambda: "") -> None:
    until = time.monotonic() + _LONGEST_S
    while not happened():
        assert time.monotonic() < until, f"not within {_LONGEST_S:g} s: it {what}\n{more()}"
        time.sleep(0.05)

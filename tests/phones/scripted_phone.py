#!/usr/bin/env python3
"""A phone at the end of an `adb` that follows a script, and can misbehave.

    scripted_phone.py COMMAND ARGUMENTS...

`adb` answers for the phones whose folders the variable PHONES lists. What it runs on a phone is run
here by `/bin/sh`, in the phone's file system; `am`, `pm`, `dumpsys` and their like are this program
again, for the phone in the variable PHONE. A job is done by `scripted_app`, in a process by itself.
Nothing here imports mobilebench, so that a command takes no longer than on a phone.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

APP = "mobilebench.app"
RUNNER = f"{APP}:runner"
COMMANDS = (
    "am", "cmd", "df", "dumpsys", "getprop", "input", "logcat", "pidof", "pm", "settings", "svc",
    "wm",
)  # fmt: skip
_ON_THE_PHONE = re.compile(r"(?<![\w./-])(/storage|/mnt/pass_through|/data|/proc/sys/kernel)(?=/)")
_ROOT = Path(__file__).resolve().parents[2]
_STATUS = "Thermal Status: {status}\n"
THERMAL = """\
IsStatusOverride: {overridden}
ThermalEventListeners:
\tcallbacks: 1
Thermal Status: {status}
Cached temperatures:
\tTemperature{{mValue=30.1, mType=3, mName=skin, mStatus=0}}
HAL Ready: true
HAL connection:
\tThermalHAL AIDL 2  connected: yes
Current temperatures from HAL:
\tTemperature{{mValue=41.5, mType=0, mName=cpu0, mStatus=0}}
\tTemperature{{mValue=31.25, mType=3, mName=skin, mStatus=0}}
Current cooling devices from HAL:
Temperature static thresholds from HAL:
\tTemperatureThreshold{{mType=3, mName=skin, mHotThrottlingThresholds=[NaN, 39.0, 41.0, 43.0, \
47.0, 55.0, 60.0], mColdThrottlingThresholds=[NaN, NaN, NaN, NaN, NaN, NaN, NaN]}}
"""
BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  status: 3
  health: 2
  present: true
  level: 80
  scale: 100
  voltage: 4100
  temperature: 290
"""
EXIT = """\
  package: mobilebench.app
    Historical Process Exit for uid=10123
        ApplicationExitInfo #0:
          timestamp={time} pid={pid} realUid=10123 packageUid=10123 definingUid=10123 user=0
          process=mobilebench.app:runner reason={reason} (X) subreason=0 (UNKNOWN) status=9
          importance=100 pss=0.00 rss=0.00 description={description} state=empty trace=null
"""


class Phone:
    """The state of a phone, in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fs = folder / "fs"

    @classmethod
    def make(cls, folder: Path, serial: str = "PHONE1", **state: Any) -> Phone:
        """Make a phone of the computer's kind that was never used."""
        phone = cls(folder)
        for name in ("sdcard", "data/local/tmp", "data/app", "proc/sys/kernel/random"):
            (phone.fs / name).mkdir(parents=True)
        (folder / "bin").mkdir()
        for name in COMMANDS:
            _write_program(folder / "bin" / name, name)
        phone.save(
            {
                "serial": serial,
                "serialno": serial,
                "transport_id": 1,
                "usb": "1-1",
                "props": {
                    "ro.serialno": serial,
                    "ro.product.model": "Scripted Phone",
                    "ro.product.manufacturer": "Nobody",
                    "ro.product.cpu.abilist": "x86_64,arm64-v8a",
                    "ro.build.version.release": "14",
                    "ro.build.version.sdk": "34",
                    "ro.build.fingerprint": "nobody/phone/phone:14/A/1:user/release-keys",
                    "ro.build.characteristics": "default",
                    "sys.boot_completed": "1",
                },
                "settings": {"stay_on_while_plugged_in": "0", "low_power": "0"},
                "users": {"0": "Owner"},
                "current_user": 0,
                "faults": {},
                **state,
            }
        )
        phone.new_boot()
        return phone

    def state(self) -> dict[str, Any]:
        """Return the whole state."""
        state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state."""
        place = self.folder / "state.json"
        place.with_suffix(".new").write_text(json.dumps(state))
        place.with_suffix(".new").replace(place)

    @contextmanager
    def changed(self) -> Iterator[dict[str, Any]]:
        """Change the state; other processes wait."""
        with (self.folder / "state.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self.state()
            yield state
            self.save(state)

    def fault(self, name: str) -> Any:
        """Take one occurrence of a fault; None where there is none left.

        A fault is a number of occurrences, or a list of what each one does.
        """
        with self.changed() as state:
            left = state["faults"].get(name)
            if not left:
                return None
            if isinstance(left, list):
                return left.pop(0)
            state["faults"][name] = left - 1
            return left

    def new_boot(self) -> None:
        """Start anew: no process lives, and the boot has another id."""
        self.kill()
        (self.fs / "proc/sys/kernel/random/boot_id").write_text(f"{uuid.uuid4()}\n")

    def log(self, *words: object) -> None:
        """Note what was done."""
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(list(map(str, words))) + "\n")

    def logged(self) -> list[list[str]]:
        """Return what was done."""
        place = self.folder / "log.jsonl"
        return [json.loads(line) for line in place.read_text().splitlines()]

    @property
    def files(self) -> Path:
        """The app's folder."""
        return self.fs / "sdcard/Android/data" / APP / "files"

    @property
    def package(self) -> Path:
        """The installed package."""
        return self.fs / "data/app" / APP / "base.apk"

    def runner(self) -> int | None:
        """Return the process that measures; None where it does not live."""
        with suppress(OSError, ValueError):
            pid = int((self.folder / "runner.pid").read_text())
            stat = Path(f"/proc/{pid}/stat").read_text()
            if stat.rpartition(")")[2].split()[0] != "Z":
                return pid
        return None

    def kill(self) -> None:
        """End the process that measures."""
        pid = self.runner()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            while self.runner() is not None:
                time.sleep(0.01)

    def note_exit(self, reason: int, description: str = "null") -> None:
        """Note, as the system does, why the process that measures is about to end."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        text = EXIT.format(
            time=f"{now}.100", pid=self.runner() or 1, reason=reason, description=description
        )
        (self.folder / "exit-info").write_text(text)


def write_adb(folder: Path) -> Path:
    """Write the program `adb` into a folder for the PATH; return the folder."""
    folder.mkdir()
    _write_program(folder / "adb", "adb")
    return folder


def _write_program(path: Path, name: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S {__file__} {name} "$@"\n')
    path.chmod(0o755)


# adb, on the computer


def adb(args: Sequence[str]) -> int:
    phones = [Phone(Path(place)) for place in os.environ["PHONES"].split(os.pathsep) if place]
    if args[:1] == ["version"]:
        print("Android Debug Bridge version 1.0.41\nVersion 34.0.5-scripted\nInstalled as adb")
        return 0
    if args[:2] == ["devices", "-l"]:
        return _devices(phones)
    phone = _chosen(phones, args[0], args[1])
    if phone is None or _is_gone(phone):
        name = f"device '{args[1]}' not found" if args[0] == "-s" else "no device with transport id"
        print(f"adb: {name}", file=sys.stderr)
        return 1
    command, *rest = args[2:]
    phone.log("adb", command, *rest)
    if phone.fault("hangs"):
        time.sleep(600)
    if phone.fault("closed"):
        print("error: closed", file=sys.stderr)
        return 1
    verbs: dict[str, Callable[[Phone, list[str]], int]] = {
        "shell": _shell, "exec-out": _exec_out, "push": _push, "install": _install,
    }  # fmt: skip
    return verbs[command](phone, rest)


def _devices(phones: Sequence[Phone]) -> int:
    print("List of devices attached")
    for phone in phones:
        state = phone.state()
        if _is_gone(phone):
            continue
        word = state.get("adb_state", "device")
        print(
            f"{state['serial']:<22} {word} usb:{state['usb']} product:phone "
            f"model:Scripted_Phone device:phone transport_id:{state['transport_id']}"
        )
    print()
    return 0


def _chosen(phones: Sequence[Phone], option: str, word: str) -> Phone | None:
    field = {"-s": "serial", "-t": "transport_id"}[option]
    return next((phone for phone in phones if str(phone.state()[field]) == word), None)


def _is_gone(phone: Phone) -> bool:
    state = phone.state()
    if time.time() < state.get("gone_until", 0):
        return True
    return bool(state.get("gone"))


def _run(phone: Phone, line: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the phone's shell; a command of this program in this process."""
    lines = line.split("\n")
    simple = not re.search(r"[;&|<>$`*(]", lines[0])
    words = shlex.split(lines[0]) if simple else [""]
    if words[0] in COMMANDS and all(re.fullmatch(r"echo \S+:\$\?", rest) for rest in lines[1:]):
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = globals().get(words[0], nothing)(phone, words[1:])
            for rest in lines[1:]:
                print(rest.removeprefix("echo ").replace("$?", str(code)))
        ended = 0 if lines[1:] else code
        text = out.getvalue().encode(), err.getvalue().encode()
        return subprocess.CompletedProcess(line, ended, *text)
    env = {
        **os.environ,
        "PHONE": str(phone.folder),
        "PATH": f"{phone.folder / 'bin'}:/usr/bin:/bin",
        "EXTERNAL_STORAGE": str(phone.fs / "sdcard"),
    }
    mapped = _ON_THE_PHONE.sub(lambda match: f"{phone.fs}{match[1]}", line)
    return subprocess.run(
        ["/bin/sh", "-c", mapped], capture_output=True, env=env, cwd=phone.fs, check=False
    )


def _shell(phone: Phone, args: list[str]) -> int:
    done = _run(phone, " ".join(args))
    out = done.stdout
    if phone.state()["faults"].get("crlf"):
        out = out.replace(b"\n", b"\r\n")
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(done.stderr)
    return done.returncode


def _exec_out(phone: Phone, args: list[str]) -> int:
    done = _run(phone, " ".join(args))
    out = done.stdout + done.stderr
    looks_at_journal = "journal" in args[0] and b"samples" in out
    if phone.state()["faults"].get("newer_journal"):
        out = out.replace(b'"n":0,', b'"n":0,"from_the_future":1,')
    if looks_at_journal and phone.fault("cut"):
        sys.stdout.buffer.write(out[: len(out) // 2])
        return 0
    sys.stdout.buffer.write(out)
    if looks_at_journal and (seconds := phone.fault("unplugged")):
        with phone.changed() as state:
            state["gone_until"] = time.time() + seconds
    if looks_at_journal and (seconds := phone.fault("restarts")):
        phone.new_boot()
        with phone.changed() as state:
            state["gone_until"] = time.time() + seconds
            state["transport_id"] += 1
    if looks_at_journal and phone.fault("server"):
        with phone.changed() as state:
            state["transport_id"] += 1
            state["faults"]["closed"] = 1
    return 0


def _push(phone: Phone, args: list[str]) -> int:
    source, target = Path(args[0]), args[1]
    target = _ON_THE_PHONE.sub(lambda match: f"{phone.fs}{match[1]}", target)
    if not Path(target).parent.is_dir():
        print(
            f"adb: error: failed to copy '{source}' to '{target}': remote couldn't create file: "
            f"secure_mkdirs failed: No such file or directory",
            file=sys.stderr,
        )
        return 1
    if phone.fault("push_full"):
        shutil.copyfile(source, target)
        os.truncate(target, source.stat().st_size // 2)
        print(f"adb: error: failed to copy '{source}': No space left on device", file=sys.stderr)
        return 1
    if phone.fault("push_damaged"):
        Path(target).write_bytes(b"\0" * source.stat().st_size)
    else:
        shutil.copyfile(source, target)
    print(f"{source}: 1 file pushed, 0 skipped.")
    return 0


def _install(phone: Phone, args: list[str]) -> int:
    if phone.fault("install_hangs"):
        time.sleep(600)
    if "--no-streaming" not in args and phone.state()["faults"].get("no_streams"):
        print("adb: failed to install: cmd: Failure calling service package: Broken pipe (32)")
        return 1
    refusal = phone.fault("install")
    if refusal:
        print(f"Performing Streamed Install\nadb: failed to install: Failure [{refusal}]")
        return 0 if phone.state()["faults"].get("old") else 1
    phone.package.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(args[-1], phone.package)
    print("Performing Streamed Install\nSuccess")
    return 0


# What the phone has


def am(phone: Phone, args: list[str]) -> int:
    if args == ["get-current-user"]:
        print(phone.state()["current_user"])
        return 0
    if args[0] == "force-stop":
        phone.kill()
        return 0
    options = _options(args[1:])
    if not phone.package.exists():
        print("Starting: Intent { cmp=mobilebench.app/.MainActivity }")
        print("Error type 3\nError: Activity class {mobilebench.app/.MainActivity} does not exist.")
        return 0
    print("Starting: Intent { cmp=mobilebench.app/.MainActivity (has extras) }")
    if phone.state()["faults"].get("asleep"):
        return 0
    with suppress(OSError):
        (phone.files / "jobs").mkdir(parents=True, exist_ok=True)
    job, key = options.get("job"), options.get("key")
    if job is None:
        return 0
    folder = next(
        (place for place in phone.fs.glob(f"**/{APP}/files/jobs/{job}") if place.is_dir()), None
    )
    if folder is None or not (folder / "job.json").exists() or (folder / "record.json").exists():
        return 0
    if (folder / "run.key").read_text().strip() != key:
        return 0
    (folder / "running").touch()
    # Its parent ends at once, so that it belongs to nobody here.
    if os.fork() == 0:
        with (phone.folder / "app.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.phones.scripted_app", phone.folder, folder],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
                start_new_session=True,
                env={**os.environ, "MOBILEBENCH_KEY": str(phone.folder / "app.key")},
            )
        (phone.folder / "runner.pid").write_text(str(child.pid))
        os._exit(0)
    os.wait()
    return 0


def _options(args: Sequence[str]) -> dict[str, str]:
    """Return the text extras of an intent, by name."""
    return {
        args[at + 1]: args[at + 2] for at, word in enumerate(args[:-2]) if word in ("--es", "-e")
    }


def cmd(phone: Phone, args: list[str]) -> int:
    if args[:2] == ["thermalservice", "override-status"]:
        with phone.changed() as state:
            state["override"] = int(args[2])
    elif args[:2] == ["thermalservice", "reset"]:
        with phone.changed() as state:
            state.pop("override", None)
    elif args[:2] == ["power", "set-fixed-performance-mode-enabled"]:
        if phone.state()["faults"].get("no_fixed_performance"):
            print("Failed to set FIXED_PERFORMANCE mode", file=sys.stderr)
            return 255
        with phone.changed() as state:
            state["fixed_performance"] = args[2] == "true"
    else:
        print(f"cmd: Can't find service: {args[0]}", file=sys.stderr)
        return 20
    phone.log("cmd", *args)
    return 0


def df(phone: Phone, args: list[str]) -> int:
    free = phone.state().get("free_kib", 20_000_000)
    print("Filesystem     1K-blocks     Used Available Use% Mounted on")
    print(f"/dev/fuse      110000000 {110_000_000 - free:8} {free:9}  50% /storage/emulated")
    return 0


def dumpsys(phone: Phone, args: list[str]) -> int:
    state = phone.state()
    if args == ["thermalservice"]:
        status = state.get("override", 0)
        overridden = str("override" in state).lower()
        print(THERMAL.format(status=status, overridden=overridden), end="")
    elif args == ["battery"]:
        print(BATTERY, end="")
    elif args == ["trust"]:
        locked = int(bool(state["faults"].get("locked")))
        print(f' User "Owner" (id=0, flags=0x13) (current): trusted=0, deviceLocked={locked}')
    elif args[:2] == ["activity", "exit-info"]:
        with suppress(OSError):
            print((phone.folder / "exit-info").read_text(), end="")
    elif args[0] == "package" and phone.package.exists():
        print(f"Packages:\n  Package [{APP}] (1):\n    versionCode=1 minSdk=26 targetSdk=34")
        print("    versionName=0.1.0\n    User 0: ceDataInode=1 installed=true hidden=false")
    else:
        print(f"Can't find service: {args[0]}")
    return 0


def getprop(phone: Phone, args: list[str]) -> int:
    props = phone.state()["props"]
    if args:
        print(props.get(args[0], ""))
    else:
        for name, content in props.items():
            print(f"[{name}]: [{content}]")
    return 0


def logcat(phone: Phone, args: list[str]) -> int:
    with suppress(OSError):
        print((phone.folder / "logcat").read_text(), end="")
    return 0


def pidof(phone: Phone, args: list[str]) -> int:
    pid = phone.runner() if args == [RUNNER] else None
    if pid is None:
        return 1
    print(pid)
    return 0


def pm(phone: Phone, args: list[str]) -> int:
    if args == ["list", "users"]:
        print("Users:")
        for number, name in phone.state()["users"].items():
            print(f"\tUserInfo{{{number}:{name}:c13}} running")
        return 0
    if args[0] == "path":
        if not phone.package.exists():
            return 1
        print(f"package:{phone.package}")
    return 0


def settings(phone: Phone, args: list[str]) -> int:
    if args[0] == "get":
        print(phone.state()["settings"].get(args[2], "null"))
        return 0
    with phone.changed() as state:
        state["settings"][args[2]] = args[3]
    return 0


def nothing(phone: Phone, args: list[str]) -> int:
    return 0


def main(command: str, *args: str) -> int:
    if command == "adb":
        return adb(list(args))
    place = globals().get(command, nothing)
    code: int = place(Phone(Path(os.environ["PHONE"])), list(args))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

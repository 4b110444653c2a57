#!/usr/bin/env python3
"""An iPhone at the end of an `xcrun` and an `ios` that follow a script, and can misbehave.

    scripted_iphone.py PHONE xcrun|ios ARGUMENTS...

The folder of the phone holds `Documents` of the app, and the app lies beside it once it is
installed. Launched with a job and its key, it does the job by this machine's engine, in a process
that stays after the run as the app does. Nothing here imports mobilebench before that.
"""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT))

from tests.phones.scripted_phone import Phone  # noqa: E402

UDID = "00008130-SCRIPTED0000001"
IDENTIFIER = "5C21B7ED-0000-4000-8000-000000000001"
_NOISE = "Failed to load provisioning paramter list due to error: Code=1002\n"
_LOCKED = ("FBSOpenApplicationErrorDomain", 7, "the device was not, or could not be, unlocked")
_NOT_TRUSTED = ("FBSOpenApplicationErrorDomain", 3, "its profile has not been trusted by the user")


class IPhone(Phone):
    """The state of an iPhone, in its folder."""

    @classmethod
    def make(cls, folder: Path, serial: str = UDID, **state: Any) -> IPhone:
        """Make an iPhone that has trusted this computer, and has no app yet."""
        phone = cls(folder)
        (folder / "Documents" / "jobs").mkdir(parents=True)
        phone.save({"faults": {}, "version": "18.5", **state})
        return phone

    @property
    def files(self) -> Path:
        return self.folder / "Documents"

    @property
    def app(self) -> Path:
        """The installed app."""
        return self.folder / "MobileBench.app"

    def note_exit(self, reason: int, description: str = "null") -> None:
        """iOS tells nobody why a process ended; the app's next launch says that it did."""


def write_tools(folder: Path, phone: IPhone, which: Sequence[str]) -> Path:
    """Write the tools into a folder, and return it for the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for tool in which:
        words = [sys.executable, __file__, str(phone.folder), tool]
        (folder / tool).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        (folder / tool).chmod(0o755)
    return folder


def write_app(path: Path, version: str = "0.1.0") -> Path:
    """Write the folder of an app, with the file that says what it is."""
    path.mkdir(parents=True, exist_ok=True)
    facts = {
        "CFBundleIdentifier": "org.example.mobilebench",
        "CFBundleShortVersionString": version,
        "CFBundleVersion": "1",
    }
    (path / "Info.plist").write_bytes(plistlib.dumps(facts))
    return path


class Failed(Exception):
    """A command fails with a domain, a code and words."""


def _lost(phone: IPhone) -> bool:
    """Whether the cable is out: after samples were copied from the phone, for some seconds."""
    until = phone.state().get("gone_until", 0)
    if time.time() < until:
        return True
    if (phone.folder / "copied").exists() and (seconds := phone.fault("unplugged")):
        with phone.changed() as state:
            state["gone_until"] = time.time() + seconds
        return True
    return False


def _note_copy(phone: IPhone, source: Path) -> None:
    """Note that the computer has samples."""
    if b'"samples"' in source.read_bytes():
        (phone.folder / "copied").touch()


def _of(phone: IPhone, path: str) -> Path:
    """Return where a path of the app's folder is here, and none outside."""
    place = (phone.folder / path.lstrip("/")).resolve()
    assert place.is_relative_to(phone.files.resolve()), path
    return place


def _push(phone: IPhone, source: Path, target: Path) -> None:
    if phone.fault("full"):
        raise Failed("NSPOSIXErrorDomain", 28, "No space left on device")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _install(phone: IPhone, path: Path) -> None:
    if phone.fault("full"):
        raise Failed("com.apple.dt.CoreDeviceError", 3002, "Insufficient storage, no space left")
    shutil.rmtree(phone.app, ignore_errors=True)
    shutil.copytree(path, phone.app)


def _apps(phone: IPhone) -> list[dict[str, Any]]:
    if not phone.app.exists():
        return []
    facts: dict[str, Any] = plistlib.loads((phone.app / "Info.plist").read_bytes())
    return [facts]


def _launch(phone: IPhone, bundle_id: str, arguments: Sequence[str]) -> int:
    if not any(each["CFBundleIdentifier"] == bundle_id for each in _apps(phone)):
        raise Failed("com.apple.dt.CoreDeviceError", 10002, f"{bundle_id} is not installed")
    for fault, error in (("locked_launch", _LOCKED), ("not_trusted", _NOT_TRUSTED)):
        if phone.fault(fault):
            raise Failed(*error)
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    phone.kill()
    folder = phone.files / "jobs" / options["--job"]
    if (folder / "run.key").read_text().strip() != options["--key"]:
        return 1
    if os.fork() == 0:
        with (phone.folder / "app.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.phones.scripted_iphone", phone.folder, "app", folder],
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
    return int((phone.folder / "runner.pid").read_text())


def _processes(phone: IPhone) -> list[tuple[int, str]]:
    pid = phone.runner()
    path = "/private/var/containers/Bundle/Application/0/MobileBench.app/MobileBench"
    return [(66, "/usr/libexec/backboardd"), *([(pid, path)] if pid is not None else [])]


def xcrun(phone: IPhone, args: list[str]) -> int:
    """Answer as devicectl does: into a file, with noise on stderr."""
    if args == ["xcdevice", "list", "--timeout", "5"]:
        print("[]")
        return 0
    sys.stderr.write(_NOISE)
    assert args.pop(0) == "devicectl"
    after = args[args.index("--") + 1 :] if "--" in args else []
    args = args[: args.index("--")] if "--" in args else args
    options, words = {}, []
    while args:
        word = args.pop(0)
        if word == "--version":
            print("397.21")
            return 0
        flag = word in ("--terminate-existing", "--kill")
        if word.startswith("--") and not flag:
            options[word] = args.pop(0)
        elif not flag:
            words.append(word)
    document: dict[str, Any] = {"info": {"jsonVersion": 2, "version": "397.21"}}
    try:
        document["result"] = _devicectl(phone, words, options, after)
        document["info"]["outcome"] = "success"
    except Failed as error:
        domain, code, text = error.args
        inner = {"domain": domain, "code": code, "userInfo": {"NSLocalizedDescription": text}}
        document["info"]["outcome"] = "failed"
        document["error"] = {
            "domain": "com.apple.dt.CoreDeviceError",
            "code": 10002,
            "userInfo": {"NSUnderlyingError": {"error": inner}},
        }
    Path(options["--json-output"]).write_text(json.dumps(document))
    return 0 if "result" in document else 1


def _devicectl(
    phone: IPhone, words: list[str], options: dict[str, str], after: list[str]
) -> dict[str, Any]:
    lost = _lost(phone)
    if words == ["list", "devices"]:
        return {"devices": [] if lost else [_row(phone)]}
    assert options["--device"] == IDENTIFIER
    if lost:
        raise Failed("com.apple.dt.CoreDeviceError", 4000, "The tunnel to the device is gone.")
    match words[1:]:
        case ["info", "lockState"]:
            return {"passcodeRequired": bool(phone.fault("locked"))}
        case ["info", "apps"]:
            return {
                "apps": [
                    {
                        "bundleIdentifier": each["CFBundleIdentifier"],
                        "version": each["CFBundleShortVersionString"],
                        "bundleVersion": each["CFBundleVersion"],
                        "url": "file:///private/var/containers/Bundle/Application/0/MobileBench.app/",
                    }
                    for each in _apps(phone)
                ]
            }
        case ["info", "processes"]:
            return {
                "runningProcesses": [
                    {"processIdentifier": pid, "executable": f"file://{path}"}
                    for pid, path in _processes(phone)
                ]
            }
        case ["install", "app", path]:
            phone.log("install", path)
            _install(phone, Path(path))
        case ["copy", "to"]:
            phone.log("push", options["--destination"])
            _push(phone, Path(options["--source"]), _of(phone, options["--destination"]))
        case ["copy", "from"]:
            source = _of(phone, options["--source"])
            if not source.is_file():
                raise Failed("NSPOSIXErrorDomain", 2, "No such file or directory")
            shutil.copyfile(source, options["--destination"])
            _note_copy(phone, source)
        case ["process", "launch", bundle_id]:
            phone.log("launch", *after)
            pid = _launch(phone, bundle_id, after)
            return {"process": {"processIdentifier": pid}}
        case ["process", "terminate"]:
            phone.kill()
    return {}


def _row(phone: IPhone) -> dict[str, Any]:
    mode = "disabled" if phone.state()["faults"].get("developer_mode_off") else "enabled"
    state = "unavailable" if phone.state()["faults"].get("tunnel_down") else "connected"
    return {
        "identifier": IDENTIFIER,
        "connectionProperties": {
            "pairingState": "paired",
            "transportType": "wired",
            "tunnelState": state,
        },
        "deviceProperties": {
            "developerModeStatus": mode,
            "name": "Somebody's phone",
            "osVersionNumber": phone.state()["version"],
            "osBuildUpdate": "22F76",
        },
        "hardwareProperties": {
            "deviceType": "iPhone",
            "marketingName": "iPhone 15 Pro",
            "platform": "iOS",
            "productType": "iPhone16,1",
            "reality": "physical",
            "udid": UDID,
        },
    }


def ios(phone: IPhone, args: list[str]) -> int:
    """Answer as go-ios does: JSON on stdout, a log on stderr."""
    options = dict(word.split("=", 1) for word in args if word.startswith("--") and "=" in word)
    words = [word for word in args if not word.startswith("--")]
    if words == ["version"]:
        print(json.dumps({"version": "1.0.999"}))
        return 0
    try:
        answer = _go_ios(phone, words, options, args)
    except Failed as error:
        print(
            json.dumps({"level": "ERROR", "msg": "failed", "err": error.args[2]}), file=sys.stderr
        )
        return 1
    print(json.dumps(answer))
    return 0


def _go_ios(phone: IPhone, words: list[str], options: dict[str, str], args: list[str]) -> Any:
    lost = _lost(phone)
    if words == ["list"]:
        row = {
            "Udid": UDID,
            "ProductName": "iPhone OS",
            "ProductType": "iPhone16,1",
            "ProductVersion": phone.state()["version"],
            "ConnectionType": "USB",
        }
        return {"deviceList": [] if lost else [row]}
    down = phone.state()["faults"].get("tunnel_down")
    if words == ["tunnel", "ls"]:
        return [] if down else [{"udid": UDID}]
    assert options.get("--udid") == UDID or "--udid" in args
    if lost:
        raise Failed("", 0, "missing tunnel address and RSD port")
    match words:
        case ["devmode", "get", *_]:
            return {"DeveloperModeEnabled": not phone.state()["faults"].get("developer_mode_off")}
        case ["batterycheck", *_]:
            return {"HasBattery": True, "BatteryCurrentCapacity": 80, "BatteryIsCharging": False}
        case ["apps"]:
            return [{**each, "Path": "/private/0/MobileBench.app"} for each in _apps(phone)]
        case ["ps"]:
            return [
                {"Pid": pid, "Name": Path(path).name, "RealAppName": path}
                for pid, path in _processes(phone)
            ]
        case ["install"]:
            phone.log("install", options["--path"])
            _install(phone, Path(options["--path"]))
        case ["fsync", "mkdir"]:
            _of(phone, options["--path"]).mkdir(exist_ok=True)
        case ["fsync", "rm"]:
            shutil.rmtree(_of(phone, options["--path"]))
        case ["fsync", "push"]:
            phone.log("push", options["--dstPath"])
            _push(phone, Path(options["--srcPath"]), _of(phone, options["--dstPath"]))
        case ["fsync", "pull"]:
            source = _of(phone, options["--srcPath"])
            if not source.is_file():
                raise Failed("", 0, "afc: object not found")
            shutil.copyfile(source, Path(options["--dstPath"]) / source.name)
            _note_copy(phone, source)
        case ["launch", bundle_id]:
            given = [word.split("=", 1)[1] for word in args if word.startswith("--arg=")]
            phone.log("launch", *given)
            return {"pid": _launch(phone, bundle_id, given)}
        case ["kill", _]:
            phone.kill()
        case ["devicestate", "list"]:
            names = ("ThermalFair", "ThermalSerious", "ThermalCritical")
            return [
                {"Identifier": "ThermalCondition", "Profiles": [{"Identifier": n} for n in names]}
            ]
        case ["devicestate", "enable", kind, profile]:
            place = phone.folder / "condition"
            place.write_text(f"{kind} {profile}")
            phone.log("condition", kind, profile)
            # go-ios hears Ctrl-C also where the shell of these tests ignores it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with suppress(KeyboardInterrupt):
                time.sleep(600)
            place.unlink()
    return {}


def app(phone: IPhone, folder: Path) -> None:
    """Do a job as the app does, and stay."""
    from mobilebench.values.device import Device, DeviceKind
    from tests.phones import scripted_app

    class Place(scripted_app.Host):
        """This machine, described as an iPhone."""

        def device(self) -> Device:
            return Device(
                id="ios-0123456789ab",
                kind=DeviceKind.PHONE,
                model="Apple iPhone16,1",
                os="iOS",
                os_version="18.5",
                os_build="22F76",
            )

    (folder / "no-record.txt").unlink(missing_ok=True)
    (folder / "running").touch()
    scripted_app.main(phone, folder, Place)
    time.sleep(600)


def main(place: str, tool: str, *args: str) -> int:
    phone = IPhone(Path(place))
    if tool == "app":
        app(phone, Path(args[0]))
        return 0
    return xcrun(phone, list(args)) if tool == "xcrun" else ios(phone, list(args))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

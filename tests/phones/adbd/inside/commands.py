"""The commands of a scripted phone: what they say is in the file /phone/state.json."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

APP = "mobilebench.app"
PHONE = Path("/phone")
DATA = Path("/sdcard/Android/data") / APP
JOBS = DATA / "files/jobs"
INSTALLED = Path("/data/app") / APP / "base.apk"


@contextmanager
def state(change=False):
    """Yield what the phone says now; with `change` it is kept."""
    with (PHONE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = json.loads((PHONE / "state.json").read_text())
        yield said
        if change:
            neighbour = PHONE / "state.new"
            neighbour.write_text(json.dumps(said, indent=1))
            neighbour.replace(PHONE / "state.json")


def now():
    """Return the time as the system notes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def uptime():
    """Return the seconds since this machine started."""
    return float(Path("/proc/uptime").read_text().split()[0])


def heat_now(said):
    """Return status and battery temperature of the replayed heat, or none."""
    if said["heat_began"] is None:
        return None
    rows = [
        [float(word) for word in row.split()] for row in (PHONE / "heat").read_text().splitlines()
    ]
    at = uptime() - said["heat_began"]
    row = [row for row in rows if row[0] <= at][-1:] or rows[:1]
    return int(row[0][1]), int(row[0][2])


def answer(name):
    """Return the recorded answer of a command."""
    return (PHONE / "answers" / name).read_text()


def put(text, key, value):
    """Return an answer with another value in the line of a key."""
    return re.sub(rf"(?m)^(\s*{re.escape(key)}[:=]\s*).*$", rf"\g<1>{value}", text, count=1)


def getprop(args):
    with state() as said:
        properties = said["properties"]
    if args:
        print(properties.get(args[0], args[1] if len(args) > 1 else ""))
    else:
        for name in sorted(properties):
            print(f"[{name}]: [{properties[name]}]")


def dumpsys(args):
    service = next((arg for arg in args if not arg.startswith("-")), "")
    rest = args[args.index(service) + 1 :] if service else []
    if service == "battery" and rest:
        return battery(rest)
    with state(change=service == "activity") as said:
        if service == "thermalservice":
            heat = heat_now(said)
            status = heat[0] if heat else said["thermal_status"]
            if said["thermal_override"] is not None:
                status = said["thermal_override"]
            text = answer("dumpsys thermalservice")
            text = put(text, "IsStatusOverride", str(said["thermal_override"] is not None).lower())
            text = put(text, "Thermal Status", status)
            celsius = (heat[1] if heat else said["battery"]["temperature"]) / 10
            text = re.sub(r"mValue=[\d.]+, mType=2,", f"mValue={celsius}, mType=2,", text)
        elif service == "battery":
            heat = heat_now(said)
            values = dict(said["battery"])
            if heat:
                values["temperature"] = heat[1]
            text = answer("dumpsys battery")
            for key, name in (
                ("level", "level"),
                ("status", "status"),
                ("voltage", "voltage"),
                ("temperature", "temperature"),
                ("Charge counter", "Charge counter"),
            ):
                text = put(text, key, values[name])
            text = put(text, "USB powered", str(values["plugged"] == 2).lower())
        elif service == "power":
            text = answer("dumpsys power")
            text = put(text, "mWakefulnessRaw", "Awake" if said["screen"] else "Asleep")
        elif service == "display":
            text = answer("dumpsys display")
            text = put(text, "Display State", "ON" if said["screen"] else "OFF")
        elif service == "package" and rest[:1] == [APP]:
            app = said["app"]
            if app is None:
                text = f"Unable to find package: {APP}\n"
            else:
                text = answer(f"dumpsys package {APP}")
                text = put(text, "versionName", app["version"])
                text = re.sub(r"versionCode=\d+", f"versionCode={app['code']}", text)
        elif service == "window":
            text = f"    isKeyguardShowing={str(said['locked']).lower()}\n"
        elif service == "trust":
            locked = int(said["locked"] and said["secure"])
            text = "Trust manager state:\n"
            text += ' User "Owner" (id=0, flags=0xc13) (current): trusted=0, trustManaged=0, '
            text += f"deviceLocked={locked}, strongAuthRequired=0x0\n"
        elif service == "activity":
            note_end(said)
            text = exits(said)
        else:
            print(f"Can't find service: {service}", file=sys.stderr)
            return 0
    sys.stdout.write(text)
    return 0


def exits(said):
    """Return how the last processes of the app ended, as `dumpsys activity exit-info` does."""
    lines = [
        "ACTIVITY MANAGER PROCESS EXIT INFO (dumpsys activity exit-info)",
        "Last Timestamp of Persistence Into Persistent Storage: 2026-05-11 09:14:31.947",
        f"  package: {APP}",
        "    Historical Process Exit for uid=10312",
    ]
    for number, (pid, reason, words, at) in enumerate(said["exits"]):
        lines += [
            f"        ApplicationExitInfo #{number}:",
            f"          timestamp={at}.118 pid={pid} realUid=10312 packageUid=10312 "
            "definingUid=10312 user=0",
            f"          process={APP}:runner reason={reason} ({words}) subreason=0 (UNKNOWN) "
            "status=0",
            "          importance=100 pss=0.00 rss=112MB description=null state=empty trace=null",
        ]
    return "\n".join(lines) + "\n"


def note_end(said):
    """Note how the app's last process ended, as the first process of the phone saw it."""
    try:
        pid = int((PHONE / "app.pid").read_text())
        status = int((PHONE / f"ended/{pid}").read_text())
    except (OSError, ValueError):
        return
    if pid not in [each[0] for each in said["exits"]]:
        number = os.waitstatus_to_exitcode(status)
        reason, words = {0: (1, "EXIT_SELF"), -9: (2, "SIGNALED")}.get(number, (4, "CRASH"))
        if number in (-11, -6):
            reason, words = 5, "CRASH NATIVE"
        said["exits"].insert(0, [pid, reason, words, now()])


def battery(args):
    with state(change=True) as said:
        if args[0] == "reset":
            said["battery"] = said["battery_found"]
        elif args[0] == "unplug":
            said["battery"] = {**said["battery"], "plugged": 0, "status": 3}
        elif args[0] == "set" and len(args) == 3:
            said["battery"] = {**said["battery"], args[1]: int(args[2])}
    return 0


def pm(args):
    verb, rest = (args[0], args[1:]) if args else ("", [])
    if verb == "install":
        return install(rest)
    with state(change=True) as said:
        app = said["app"]
        if verb == "path":
            if app is None:
                return 1
            print(f"package:{INSTALLED}")
        elif verb == "list" and rest[:1] == ["packages"]:
            code = f" versionCode:{app['code']}" if app and "--show-versioncode" in rest else ""
            if app is not None:
                print(f"package:{APP}{code}")
        elif verb == "list" and rest[:1] == ["users"]:
            sys.stdout.write(answer("pm list users"))
        elif verb == "uninstall":
            if app is None:
                print("Failure [DELETE_FAILED_INTERNAL_ERROR]")
                return 1
            end_app(said, 10, "USER REQUESTED")
            said["app"] = None
            os.system(f"rm -rf {DATA} {INSTALLED.parent}")
            print("Success")
        elif verb == "clear":
            print("Success")
        elif verb in ("grant", "trim-caches"):
            pass
        else:
            print(f"Unknown command: {verb}", file=sys.stderr)
            return 255
    return 0


def install(args):
    """Take an APK's version, as far as the phone allows it."""
    import zipfile

    place = [arg for arg in args if arg.endswith(".apk")]
    if not place or not Path(place[-1]).is_file():
        print("Error: Unable to open file: " + (place[-1] if place else ""), file=sys.stderr)
        print("Failure [INSTALL_FAILED_INVALID_URI]")
        return 1
    try:
        package, code, version = manifest(zipfile.ZipFile(place[-1]).read("AndroidManifest.xml"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        print(f"Failure [INSTALL_PARSE_FAILED_NOT_APK: {error}]")
        return 1
    content = Path(place[-1]).read_bytes()
    signer = signer_of(content)
    with state(change=True) as said:
        there = said["app"]
        if package != APP:
            print(f"Failure [INSTALL_FAILED_TEST_ONLY: the script takes {APP} alone]")
            return 1
        if said["refuses_install"]:
            print(f"Failure [{said['refuses_install']}]")
            return 1
        if there and there["signer"] != signer:
            print(
                f"Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: Existing package {APP} signatures "
                "do not match newer version; ignoring!]"
            )
            return 1
        if there and there["code"] > code and "-d" not in args:
            print("Failure [INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected]")
            return 1
        end_app(said, 14, "PACKAGE UPDATED")
        said["app"] = {"version": version, "code": code, "signer": signer}
        said["installs"] += 1
        INSTALLED.parent.mkdir(parents=True, exist_ok=True)
        INSTALLED.write_bytes(content)
    DATA.mkdir(parents=True, exist_ok=True)
    print("Success")
    return 0


def manifest(content):
    """Return package, version code and version name of a binary manifest."""

    def number(at, size=4):
        return int.from_bytes(content[at : at + size], "little")

    if number(0, 2) != 3:
        raise ValueError("its manifest is not binary")
    at, strings = 8, []
    while at < len(content):
        kind, size = number(at, 2), number(at + 4)
        if kind == 1:
            count, flags, start = number(at + 8), number(at + 16), at + number(at + 20)
            for index in range(count):
                place = start + number(at + 28 + 4 * index)
                if flags & 0x100:
                    place += 2 if content[place] & 0x80 else 1
                    length = content[place]
                    place += 1
                    if length & 0x80:
                        length = (length & 0x7F) << 8 | content[place]
                        place += 1
                    strings.append(content[place : place + length].decode())
                else:
                    length = number(place, 2)
                    strings.append(content[place + 2 : place + 2 + 2 * length].decode("utf-16-le"))
        elif kind == 0x102:
            found = {}
            first, stride, count = number(at + 24, 2), number(at + 26, 2), number(at + 28, 2)
            for index in range(count):
                place = at + 16 + first + stride * index
                kind_of_value, value = content[place + 15], number(place + 16)
                found[strings[number(place + 4)]] = strings[value] if kind_of_value == 3 else value
            return found["package"], found["versionCode"], found["versionName"]
        at += size
    raise ValueError("its manifest holds no element")


def signer_of(apk):
    """Return the SHA-256 of the certificate in the second scheme's block of an APK."""
    import hashlib

    def number(at, size=4):
        return int.from_bytes(apk[at : at + size], "little")

    end = apk.rfind(b"PK\5\6")
    directory = number(end + 16)
    if apk[directory - 16 : directory] != b"APK Sig Block 42":
        return None
    at, stop = directory - number(directory - 24, 8), directory - 24
    while at < stop:
        size, kind = number(at, 8), number(at + 8)
        if kind == 0x7109871A:
            # Lengths: of signers, one signer, signed data; then digests, then certificates.
            signed = at + 12 + 4 + 4
            digests = signed + 4
            certificates = digests + 4 + number(digests)
            certificate = certificates + 4
            length = number(certificate)
            return hashlib.sha256(apk[certificate + 4 : certificate + 4 + length]).hexdigest()
        at += 8 + size
    return None


def running():
    """Return the processes of the app."""
    try:
        pid = int((PHONE / "app.pid").read_text())
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return []
    return [] if status in "ZX" else [pid]


def end_app(said, reason, words):
    """End the app as the system does, and note it."""
    for pid in running():
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/stat").exists() and running():
            time.sleep(0.005)
        said["exits"].insert(0, [pid, reason, words, now()])


def am(args):
    verb, rest = (args[0], args[1:]) if args else ("", [])
    if verb == "get-current-user":
        sys.stdout.write(answer("am get-current-user"))
    elif verb == "force-stop":
        with state(change=True) as said:
            end_app(said, 10, "USER REQUESTED")
    elif verb in ("start", "start-activity"):
        return start(rest)
    elif verb == "kill":
        pass
    else:
        print(f"Unknown command: {verb}", file=sys.stderr)
        return 255
    return 0


def start(args):
    import subprocess

    extras, component, place = {}, None, 0
    while place < len(args):
        if args[place] in ("--es", "--ez", "--ei"):
            extras[args[place + 1]] = args[place + 2]
            place += 3
        elif args[place] in ("-n", "-a", "-c", "-d", "-f", "--user"):
            component = args[place + 1] if args[place] == "-n" else component
            place += 2
        else:
            place += 1
    print(f"Starting: Intent {{ cmp={component} (has extras) }}")
    with state(change=True) as said:
        if said["app"] is None or not component or not component.startswith(f"{APP}/"):
            print("Error type 3")
            print(f"Error: Activity class {{{component}}} does not exist.")
            return 0
        said["starts"] += 1
        (DATA / "files/private").mkdir(parents=True, exist_ok=True)
        JOBS.mkdir(exist_ok=True)
        # As on a phone, `am` tells of success also where nothing shows.
        if said["locked"] or "job" not in extras or running():
            return 0
        if said["heat_began"] is None and (PHONE / "heat").is_file():
            said["heat_began"] = uptime()
        note_end(said)
        command = said["app_command"]
        last = said["exits"][0][1] if said["exits"] else 0
    words = [*command["arguments"], extras["job"], extras.get("key", ""), str(last)]
    with (PHONE / "logcat").open("ab") as log, (PHONE / "app.err").open("ab") as errors:
        app = subprocess.Popen(
            words,
            env={**os.environ, **command["environment"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=errors,
            start_new_session=True,
        )
    (PHONE / "app.pid").write_text(str(app.pid))
    return 0


def cmd(args):
    service, rest = (args[0], args[1:]) if args else ("", [])
    if service == "thermalservice" and rest[:1] == ["override-status"]:
        with state(change=True) as said:
            said["thermal_override"] = int(rest[1])
    elif service == "thermalservice" and rest[:1] == ["reset"]:
        with state(change=True) as said:
            said["thermal_override"] = None
    elif service == "power" and rest[:1] == ["set-fixed-performance-mode-enabled"]:
        with state(change=True) as said:
            said["fixed_performance"] = rest[1] == "true"
    elif service == "package":
        return pm(rest)
    elif service == "activity":
        return am(rest)
    else:
        print(f"cmd: Can't find service: {service}", file=sys.stderr)
        return 20
    return 0


def settings(args):
    verb, space, name, *value = [*args, "", "", ""]
    with state(change=True) as said:
        if verb == "get":
            print(said["settings"].get(f"{space} {name}", "null"))
        elif verb == "put":
            said["settings"][f"{space} {name}"] = value[0]
        elif verb == "delete":
            there = said["settings"].pop(f"{space} {name}", None)
            print(f"Deleted {int(there is not None)} rows")
    return 0


def input_(args):
    with state(change=True) as said:
        if "KEYCODE_WAKEUP" in args or "224" in args:
            said["screen"] = True
        if "KEYCODE_SLEEP" in args or "223" in args:
            said["screen"] = False


def svc(args):
    with state(change=True) as said:
        if args[:2] == ["power", "stayon"]:
            said["settings"]["global stay_on_while_plugged_in"] = "0" if args[2] == "false" else "7"


def logcat(args):
    place = PHONE / "logcat"
    if "-c" in args:
        place.write_text("")
        return
    since = args[args.index("-T") + 1] if "-T" in args else ""
    for line in place.read_text().splitlines() if place.is_file() else ():
        # Other lines are what native libraries print; they have no time and no tag.
        words = re.fullmatch(r"(\d{13}) (\S+) (.*)", line)
        if words is None:
            continue
        at = time.strftime("%m-%d %H:%M:%S", time.localtime(int(words[1]) / 1000))
        at += f".{words[1][-3:]}"
        if since.replace(".000", "") > at:
            continue
        if "brief" in args:
            print(f"I/{words[2]}( 4711): {words[3]}")
        else:
            print(f"{at}  4711  4711 I {words[2]}: {words[3]}")


def wm(args):
    if args == ["dismiss-keyguard"]:
        with state(change=True) as said:
            said["locked"] = said["locked"] and said["secure"]


def pidof(args):
    names = {APP, f"{APP}:runner"}
    pids = running() if names & set(args) else []
    if pids:
        print(*pids)
    return 0 if pids else 1


def main():
    name = Path(sys.argv[0]).name
    with state() as said:
        delay = said["delays"].get(name, 0)
        said_commands = said["log_commands"]
    if said_commands:
        with (PHONE / "commands.log").open("a") as log:
            log.write(" ".join([name, *sys.argv[1:]]) + "\n")
    time.sleep(delay)
    verbs = {**globals(), "input": input_}
    return verbs[name](sys.argv[1:])


sys.exit(main())

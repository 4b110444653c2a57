"""The first process of a scripted phone: it lays out the phone's files and runs adbd.

It runs in mount and process namespaces of its own, with a network namespace that the phones of a
test share. SIGUSR1 ends adbd, as a pulled cable does; SIGUSR2 starts it again. When this process
ends, so do all others of the phone.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import struct
import subprocess
import sys
import uuid
from pathlib import Path

_BIND, _REC = 0x1000, 0x4000
OWN = {"data", "dev", "phone", "proc", "sdcard", "storage", "sys", "system"}
"""Top folders that a phone has for itself; all others are those of this machine."""
COMMANDS = (
    "am",
    "cmd",
    "dumpsys",
    "getprop",
    "input",
    "logcat",
    "pidof",
    "pm",
    "settings",
    "svc",
    "wm",
)


def main(place: Path) -> None:
    """Start the phone whose files are in a folder; return when a signal ends it."""
    told = json.loads((place / "boot.json").read_text())
    root = place / "root"
    root.mkdir(exist_ok=True)
    _mount("tmpfs", root, "tmpfs", 0, "mode=755")
    for entry in sorted(Path("/").iterdir()):
        if entry.name not in OWN:
            _take_over(entry, root / entry.name)
    _lay_out(place, root, told)
    os.chroot(root)
    os.chdir("/")
    _serve(told)


def _lay_out(place: Path, root: Path, told: dict) -> None:
    for name in OWN:
        (root / name).mkdir()
    _mount("/dev", root / "dev", None, _BIND | _REC)
    _mount("proc", root / "proc", "proc", 0)
    _mount(place / "script", root / "phone", None, _BIND)
    storage = place / "storage"
    for name in ("data", "sdcard"):
        (storage / name).mkdir(exist_ok=True)
        _mount(storage / name, root / name, None, _BIND)
    (root / "data/local/tmp").mkdir(parents=True, exist_ok=True)
    (root / "storage/emulated").mkdir(parents=True)
    (root / "storage/emulated/0").symlink_to("/sdcard")
    boot_id = place / "boot_id"
    boot_id.write_text(f"{uuid.uuid4()}\n")
    _mount(boot_id, root / "proc/sys/kernel/random/boot_id", None, _BIND)
    for path, content in told["sys"].items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    programs = root / "system/bin"
    programs.mkdir(parents=True)
    script = programs / "script"
    code = Path(__file__).with_name("commands.py").read_text()
    script.write_text(f"#!{told['python']} -IS\n{code}")
    script.chmod(0o755)
    for name in COMMANDS:
        (programs / name).symlink_to("script")
    (programs / "sh").symlink_to("/bin/sh")


def _take_over(entry: Path, target: Path) -> None:
    """Show a file of this machine in the phone."""
    if entry.is_symlink():
        target.symlink_to(entry.readlink())
        return
    if entry.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(entry, target, None, _BIND | _REC)


def _mount(
    source: str | Path, target: Path, kind: str | None, flags: int, options: str | None = None
) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else str(word).encode() for word in (source, target, kind)]
    if libc.mount(*words, flags, options and options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} on {target}: {os.strerror(number)}")


def _serve(told: dict) -> None:
    """Keep adbd as it is wanted, and take in processes that end."""
    wanted = True
    daemon: subprocess.Popen | None = None
    environment = {
        "PATH": "/system/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/data",
        "ADBD_PORT": str(told["port"]),
        "ANDROID_ADB_LOG_PATH": "/phone/adbd.log",
        "EXTERNAL_STORAGE": "/sdcard",
    }
    output = os.open("/phone/adbd.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    signals = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    while True:
        if wanted and daemon is None:
            daemon = subprocess.Popen(
                told["adbd"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _alone(signals),
            )
        got = signal.sigwait(signals)
        if got == signal.SIGTERM:
            return
        if got == signal.SIGCHLD:
            daemon = _reap(daemon)
        else:
            wanted = got == signal.SIGUSR2
            if not wanted and daemon is not None:
                daemon.kill()


def _alone(signals: set[signal.Signals]) -> None:
    """Keep adbd off virtual machines' sockets: no network namespace holds those.

    The filter answers the system call 41, `socket`, with EAFNOSUPPORT for the family 40.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    steps = [(0x20, 0, 0, 0), (0x15, 0, 3, 41), (0x20, 0, 0, 16), (0x15, 0, 1, 40)]
    steps += [(0x06, 0, 0, 0x00050000 | errno.EAFNOSUPPORT), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter for adbd's sockets")


def _reap(daemon: subprocess.Popen | None) -> subprocess.Popen | None:
    """Take in what ended; return adbd where it runs still."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if not ended:
            return daemon
        if daemon is not None and ended == daemon.pid:
            daemon.returncode = 0
            daemon = None
        else:
            Path(f"/phone/ended/{ended}").write_text(str(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

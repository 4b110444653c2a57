"""A folder with Debian's Swift and all that it needs; nothing of the system is touched.

Debian's own `apt-get` resolves, downloads and verifies the packages, with its state in a folder
here, and `dpkg-deb` unpacks them. Scripts of packages are not run, and no rights are needed.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from threading import Event

from mobilebench.errors import ProcessFailed
from mobilebench.files import only_one, publish_folder, staging_folder
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import run
from mobilebench_android.outputs import key_of
from mobilebench_android.parts import registries
from mobilebench_ios.fetched import fetch
from mobilebench_ios.places import CACHE, Unavailable, cache

SUITE = "trixie"
PACKAGES = (
    "base-files", "base-passwd", "bash", "binutils", "ca-certificates", "coreutils", "dash",
    "g++", "gcc", "git", "libc-bin", "libc6-dev", "libssl-dev", "libstdc++-14-dev", "libswiftlang",
    "sed",
    "swiftlang", "swiftlang-dev",
)  # fmt: skip
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LAYOUT = 1
"""Goes up when the folder would be laid out in another way."""
_PROGRAMS = ("apt-get", "dpkg-deb", "unshare", "mount", "chroot")
_MOUNTED = ("proc", "dev", "tmp", "src", "out")
_TIMEOUT_S = 1800
_SETTINGS = """\
Dir::Etc "{folder}/etc";
Dir::Etc::sourcelist "sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
"""


def root(report: Report = silent) -> Path:
    """Return the folder with Swift; make it where it is not there yet.

    It takes 3 GB and a few minutes. Raises `Unavailable` where it cannot be made.
    """
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None:
        raise Unavailable(f"Debian has no Swift for {platform.machine()}; use Swift of swift.org")
    key = key_of(_LAYOUT, SUITE, PACKAGES, architecture)
    place = cache() / f"debian-{SUITE}-{key}"
    if place.is_dir():
        return place
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            raise Unavailable(
                f"Swift cannot be set up without {program}; run this on Debian or Ubuntu, or set "
                f"{CACHE} to a folder where it is set up"
            )
    waiting = "waiting for another process that sets up Swift"
    with only_one(place, lambda: report(waiting), Event()):
        if not place.is_dir():
            with staging_folder(place.parent) as folder:
                packages = _download(folder / "apt", architecture, report)
                report(f"unpacking {len(packages)} packages of Debian")
                _unpack(packages, folder / "root")
                publish_folder(folder / "root", place)
    return place


def _download(folder: Path, architecture: str, report: Report) -> list[Path]:
    """Download the packages and all that they depend on; apt verifies signature and content."""
    keys = fetch("debian-keys", report) / "debian-archive-keyring.pgp"
    address = _address()
    archives = folder / "cache" / "archives"
    for each in (folder / "etc", folder / "state/lists/partial", archives / "partial"):
        each.mkdir(parents=True)
    (folder / "state/status").touch()
    # gpgv of older systems takes the keys by the ending .gpg only.
    shutil.copyfile(keys, folder / "etc/keys.gpg")
    source = f"deb [signed-by={folder}/etc/keys.gpg] {address} {SUITE} main\n"
    (folder / "etc/sources.list").write_text(source, encoding="utf-8")
    settings = folder / "apt.conf"
    settings.write_text(
        _SETTINGS.format(folder=folder, architecture=architecture), encoding="utf-8"
    )
    report(f"fetching Swift and what it needs from {address.partition('//')[2]} (600 MB)")
    apt, env = ["apt-get", "--quiet=2", "--yes"], {"APT_CONFIG": str(settings)}
    try:
        run([*apt, "--error-on=any", "update"], timeout_s=_TIMEOUT_S, env=env)
        install = [*apt, "--download-only", "install", *PACKAGES]
        run(install, timeout_s=_TIMEOUT_S, env=env)
    except ProcessFailed as error:
        reason = " ".join(error.log_tail.split()) or error.detail
        raise Unavailable(
            f"cannot fetch Debian's Swift ({reason}); run it again where {address} can be "
            f"reached, or set {CACHE} to a folder where it is set up"
        ) from None
    return sorted(archives.glob("*.deb"), key=lambda path: not path.name.startswith("base-files_"))


def _address() -> str:
    """Return Debian's address, or that of the user's own mirror."""
    debian = registries()["debian"]
    address: str = os.environ.get(debian["override"]) or debian["addresses"][0]
    return address.rstrip("/")


def _unpack(packages: list[Path], folder: Path) -> None:
    folder.mkdir()
    for package in packages:
        run(["dpkg-deb", "--extract", package, folder], timeout_s=_TIMEOUT_S)
        package.unlink()
    for name in _MOUNTED:
        (folder / name).mkdir(exist_ok=True)
    # What the scripts of packages would have made.
    (folder / "etc/passwd").write_text("root:x:0:0:root:/out/home:/bin/sh\n", encoding="utf-8")
    (folder / "etc/group").write_text("root:x:0:\n", encoding="utf-8")
    for link, target in (("cc", "gcc"), ("c++", "g++"), ("awk", "mawk")):
        (folder / "usr/bin" / link).symlink_to(target)

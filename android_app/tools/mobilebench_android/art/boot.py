"""The classes that Android's runtime starts with: its core libraries, ICU4J and a provider.

A phone has two providers of cryptography, Conscrypt and Bouncy Castle; Debian has the second one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import dexing
from mobilebench_android.art.fetched import fetch
from mobilebench_android.art.renaming import rename_jar
from mobilebench_android.art.sources import edited
from mobilebench_android.fetching import Report, silent
from mobilebench_android.jars import entry, files_below, write_jar
from mobilebench_android.java import jdk, run
from mobilebench_android.outputs import files_key, key_of, made

API = 29
"""The level of Android 10."""
_JAVA = tuple(
    f"{name}/java" for name in (
        "dalvik/src/main", "json/src/main", "libart/src/main", "luni/src/main", "ojluni/src/main",
        "xml/src/main",
    )
)  # fmt: skip
_LAMBDAS = tuple(
    f"ojluni/src/lambda/java/java/lang/invoke/{name}.java"
    for name in ("LambdaMetafactory", "SerializedLambda")
)
"""Classes that javac asks for and no dex uses: D8 makes classes of lambdas."""
_NEWER = {"Java9LanguageFeatures.java", "module-info.java", "package-info.java"}
_RESOURCES = ("luni/src/main/java", "ojluni/src/main/resources")
_SECURITY = "java/security/security.properties"
_PROVIDERS = """\
security.provider.1=org.bouncycastle.jce.provider.BouncyCastleProvider
security.provider.2=sun.security.provider.CertPathProvider
securerandom.source=file:/dev/urandom
keystore.type=BKS
"""
_TIMEOUT_S = 600


def boot_class_path(report: Report = silent) -> list[Path]:
    """Return jars of dex with what the runtime starts with; the first build takes a minute.

    Raises `Unavailable` without a part or a JDK.
    """
    classes = _classes(report)
    core, icu = classes / "core.jar", classes / "icu4j.jar"
    provider = fetch("bcprov", report) / "bcprov-1.72.jar"
    dexes = [
        dexing.dex("art-core", [core], [icu], API, report),
        dexing.dex("art-icu4j", [icu], [], API, report),
        dexing.dex("art-bcprov", [provider], [], API, report),
    ]

    def make(folder: Path) -> None:
        for jar, dexed in zip((core, icu, provider), dexes, strict=True):
            _write(folder / jar.name, dexed, _carried(jar))

    place = made("art-boot", key_of([dexed.name for dexed in dexes], classes.name), make, report)
    return [place / jar.name for jar in (core, icu, provider)]


def _classes(report: Report) -> Path:
    """Return the folder with the classes of the core libraries and of ICU4J."""
    sources = edited(report)
    published = fetch("icu4j", report) / "icu4j-60.2.jar"
    code = [(path.name, path) for path in (Path(__file__), Path(rename_jar.__code__.co_filename))]

    def make(folder: Path) -> None:
        report("compiling Android's core libraries")
        icu = folder / "icu4j.jar"
        rename_jar(published, "com.ibm.icu", "android.icu", icu)
        with TemporaryDirectory() as scratch:
            out = Path(scratch)
            _compile(sources, icu, out)
            write_jar(folder / "core.jar", files_below(out) | _resources(sources))

    key = key_of(sources.name, published.parent.name, files_key(code), jdk().version)
    return made("art-classes", key, make, report)


def _compile(sources: Path, icu: Path, out: Path) -> None:
    """Compile the core libraries against nothing but themselves and ICU4J."""
    files = [
        path
        for folder in _JAVA
        for path in sorted((sources / folder).rglob("*.java"))
        if path.name not in _NEWER
    ]
    nothing = out / "nothing"
    nothing.mkdir()
    listed = out / "sources.txt"
    listed.write_text("".join(f"{path}\n" for path in [*files, *(sources / n for n in _LAMBDAS)]))
    options = ["-encoding", "UTF-8", "-proc:none", "-nowarn", "-J-Xmx2g"]
    options += ["-source", "8", "-target", "8", "-bootclasspath", str(nothing)]
    try:
        run([jdk().javac, *options, "-cp", icu, "-d", out, f"@{listed}"], timeout_s=_TIMEOUT_S)
    except ProcessFailed as error:
        raise UserError(
            f"Android's core libraries do not compile with JDK {jdk().version}:\n"
            f"{error.log_tail.strip()}"
        ) from None
    nothing.rmdir()
    listed.unlink()


def _resources(sources: Path) -> dict[str, Path]:
    """Return what the core libraries carry beside classes, by name."""
    return {
        name: path
        for folder in _RESOURCES
        for name, path in files_below(sources / folder).items()
        if path.suffix not in (".java", ".html")
    }


def _carried(jar: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(jar) as opened:
        names = [name for name in opened.namelist() if not name.endswith(("/", ".class"))]
        carried = {name: opened.read(name) for name in names}
    if _SECURITY in carried:
        carried[_SECURITY] = _PROVIDERS.encode()
    return carried


def _write(path: Path, dexed: Path, carried: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as out:
        for dex in sorted(dexed.glob("*.dex")):
            out.writestr(entry(dex.name, zipfile.ZIP_STORED), dex.read_bytes())
        for name, content in sorted(carried.items()):
            out.writestr(entry(name), content)

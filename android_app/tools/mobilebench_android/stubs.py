"""Turn API signatures into classes without code, to compile against."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mobilebench_android import class_writer, signatures
from mobilebench_android.class_writer import ClassFile
from mobilebench_android.fetching import Report, silent
from mobilebench_android.jars import entry
from mobilebench_android.outputs import key_of, made
from mobilebench_android.signatures import ApiClass, Member

CUT = Path(__file__).with_name("android-34.txt")
"""The classes that the app uses, cut out of Android 14's public API."""

_PRIMITIVES = {
    "boolean": "Z", "byte": "B", "char": "C", "short": "S", "int": "I", "long": "J",
    "float": "F", "double": "D", "void": "V",
}  # fmt: skip
_ACCESS = {
    "public": 0x1, "private": 0x2, "protected": 0x4, "static": 0x8, "final": 0x10,
    "volatile": 0x40, "transient": 0x80, "native": 0x100, "abstract": 0x400,
}  # fmt: skip
_VARARGS, _INTERFACE, _SUPER, _ANNOTATION, _ENUM = 0x80, 0x200, 0x20, 0x2000, 0x4000
_NOT_FOR_METHODS = {"volatile", "transient"}
_NUMBERS = {
    "(0.0f/0.0f)": "nan", "(1.0f/0.0f)": "inf", "(-1.0f/0.0f)": "-inf",
    "(0.0/0.0)": "nan", "(1.0/0.0)": "inf", "(-1.0/0.0)": "-inf",
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_OBJECT = "java.lang.Object"


def jar(report: Report = silent) -> Path:
    """Return the jar of the classes that the app uses."""
    return _jar("stubs", CUT.read_text(encoding="utf-8"), report)


def whole_jar(text: str, report: Report = silent) -> Path:
    """Return the jar of all classes of a signature file."""
    return _jar("whole-api", text, report)


def _jar(kind: str, text: str, report: Report) -> Path:
    modules = (__file__, signatures.__file__, class_writer.__file__)
    key = key_of(text, [Path(module).read_text(encoding="utf-8") for module in modules])
    name = "android.jar"
    return made(kind, key, lambda folder: write_jar(text, folder / name), report) / name


def names(text: str) -> set[str]:
    """Return the internal names of the classes of a signature file that are written."""
    return {internal(each.qualified) for each in signatures.read(text) if not _has_defaults(each)}


def write_jar(text: str, path: Path) -> None:
    """Write the classes of a signature file as a jar."""
    with zipfile.ZipFile(path, "w") as out:
        for name, content in sorted(class_files(signatures.read(text)).items()):
            out.writestr(entry(f"{name}.class"), content)


def class_files(classes: Sequence[ApiClass]) -> dict[str, bytes]:
    """Return class files by internal name."""
    known = _Known([each for each in classes if not _has_defaults(each)])
    return {name: _Writer(each, known).content() for name, each in known.by_internal.items()}


def _has_defaults(api: ApiClass) -> bool:
    """Return whether an annotation has values with defaults, which are not written."""
    return api.kind == "@interface" and any(" default " in each.line for each in api.members)


def internal(name: str) -> str:
    """Return the internal name of a class: `android/view/View$OnClickListener`.

    A package's names begin with a small letter, and a class's with a capital one.
    """
    parts = name.split(".")
    if len(parts) == 1:
        return f"java/lang/{name}"
    for index, part in enumerate(parts):
        if part[:1].isupper():
            return "/".join([*parts[:index], "$".join(parts[index:])])
    return "/".join(parts)


class _Types:
    """Types of Java as class files write them: erased descriptors, and generic signatures."""

    def __init__(self, around: _Types | None = None) -> None:
        self._bounds: dict[str, str] = dict(around._bounds) if around else {}

    def declare(self, parameters: str) -> str:
        """Take in `T extends A & B, U`; return it as a generic signature writes it."""
        if not parameters:
            return ""
        rows = []
        for text in signatures.split(parameters):
            name, _, bounds = text.partition(" extends ")
            rows.append((name.strip(), signatures.split(bounds, "&") or [_OBJECT]))
            self._bounds[rows[-1][0]] = "Ljava/lang/Object;"
        for name, bounds_ in rows:
            self._bounds[name] = self.erased(bounds_[0])
        written = [name + "".join(f":{self.generic(b)}" for b in bounds_) for name, bounds_ in rows]
        return f"<{''.join(written)}>"

    def erased(self, text: str) -> str:
        """Return the descriptor of a type."""
        text, arrays = _arrays(text)
        head = re.sub(r"<.*>", "", text)
        return arrays + (
            _PRIMITIVES.get(text) or self._bounds.get(text) or f"L{internal(_whole(head))};"
        )

    def generic(self, text: str) -> str:
        """Return the signature of a type."""
        text, arrays = _arrays(text)
        if text in _PRIMITIVES:
            return arrays + _PRIMITIVES[text]
        if text in self._bounds:
            return f"{arrays}T{text};"
        head, _, rest = text.partition("<")
        if not rest:
            return f"{arrays}L{internal(head)};"
        arguments, _, inner = rest.rpartition(">")
        written = "".join(self._argument(each) for each in signatures.split(arguments))
        return f"{arrays}L{internal(head)}<{written}>{inner};"

    def _argument(self, text: str) -> str:
        if text == "?":
            return "*"
        for words, mark in (("? extends ", "+"), ("? super ", "-")):
            if text.startswith(words):
                return mark + self.generic(text.removeprefix(words))
        return self.generic(text)


def _arrays(text: str) -> tuple[str, str]:
    """Split an array's type into its elements' and the brackets of its descriptor."""
    text, depth = text.strip(), 0
    while text.endswith(("...", "[]")):
        text, depth = text.removesuffix("...").removesuffix("[]").strip(), depth + 1
    return text, "[" * depth


def _whole(name: str) -> str:
    """Join what is left of `Outer<T>.Inner` without its arguments."""
    return name.replace(" ", "")


class _Known:
    """The classes of a file, by their names."""

    def __init__(self, classes: Sequence[ApiClass]) -> None:
        self.by_name = {each.qualified: each for each in classes}
        self.by_internal = {internal(each.qualified): each for each in classes}
        self.nested: dict[str, set[str]] = {}
        for name in self.by_internal:
            self.nested.setdefault(name.rpartition("$")[0], set()).add(name)


class _Writer:
    """Writes one class."""

    def __init__(self, api: ApiClass, known: _Known) -> None:
        self._api = api
        self._known = known
        self._classes = known.by_name
        self._types = self._scope(api)
        superclass = _OBJECT if api.is_interface else api.superclass or _OBJECT
        if api.kind == "enum":
            superclass = f"java.lang.Enum<{api.qualified}>"
        interfaces = [*api.interfaces]
        if api.kind == "@interface":
            interfaces.append("java.lang.annotation.Annotation")
        self._parents = [superclass, *interfaces]
        erased = [self._types.erased(each)[1:-1] for each in self._parents]
        self._file = ClassFile(
            internal(api.qualified), self._class_access(api), erased[0], erased[1:]
        )
        self._mentioned = {self._file.name, *erased}

    def content(self) -> bytes:
        """Return the class file."""
        for member in self._api.members:
            if member.kind in ("field", "enum_constant"):
                self._file.fields.append(self._field(member))
            else:
                self._file.methods.append(self._method(member))
        if self._api.kind == "enum":
            self._enum_methods()
        if self._api.kind == "class" and not any(m.kind == "ctor" for m in self._api.members):
            # No public constructor: one that only the package sees keeps others from making it.
            attributes = [self._file.code_that_throws(1)]
            self._file.methods.append(self._file.member(0, "<init>", "()V", attributes))
        self._nesting()
        own = _Types(self._outer_scope(self._api))
        written = own.declare(self._api.type_parameters)
        written += "".join(self._types.generic(each) for each in self._parents)
        if "<" in written:
            self._file.attributes.append(self._file.signature(written))
        return self._file.content()

    def _outer_scope(self, api: ApiClass) -> _Types | None:
        outer = self._classes.get(api.qualified.rpartition(".")[0])
        return None if outer is None or "static" in api.modifiers else self._scope(outer)

    def _scope(self, api: ApiClass) -> _Types:
        types = _Types(self._outer_scope(api))
        types.declare(api.type_parameters)
        return types

    @staticmethod
    def _class_access(api: ApiClass, *, nested: bool = False) -> int:
        """Return the flags of a class; `nested` those of its row among nested classes."""
        access = _INTERFACE | _ACCESS["abstract"] if api.is_interface else 0
        access |= 0 if nested or api.is_interface else _SUPER
        access |= _ANNOTATION if api.kind == "@interface" else 0
        access |= _ENUM | _ACCESS["final"] if api.kind == "enum" else 0
        wanted = api.modifiers & {"public", "protected", "final", "abstract", "static"}
        if not nested:
            wanted = frozenset("public" if w == "protected" else w for w in wanted - {"static"})
        for word in wanted:
            access |= _ACCESS[word]
        return access | (_ACCESS["static"] if nested and api.kind != "class" else 0)

    def _field(self, member: Member) -> bytes:
        access = sum(_ACCESS[word] for word in member.modifiers)
        access |= _ENUM if member.kind == "enum_constant" else 0
        descriptor = self._erased(member.type)
        attributes = []
        if member.value is not None and "static" in member.modifiers:
            constant = self._file.pool.constant(descriptor, _value(descriptor, member.value))
            content = struct.pack(">H", constant)
            attributes.append(self._file.attribute("ConstantValue", content))
        if "<" in member.type or self._types.generic(member.type) != descriptor:
            attributes.append(self._file.signature(self._types.generic(member.type)))
        attributes += self._nullness(member.nullness)
        return self._file.member(access, member.name, descriptor, attributes)

    def _method(self, member: Member) -> bytes:
        types = _Types(self._types)
        declared = types.declare(member.type_parameters)
        access = sum(
            _ACCESS.get(word, 0) for word in member.modifiers if word not in _NOT_FOR_METHODS
        )
        if member.parameters and member.parameters[-1].type.endswith("..."):
            access |= _VARARGS
        if self._api.is_interface and not member.modifiers & {"default", "static"}:
            access |= _ACCESS["abstract"]
        written = [each.type for each in member.parameters]
        if member.kind == "ctor" and self._is_inner():
            written.insert(0, self._api.qualified.rpartition(".")[0])
        result = member.type or "void"
        parameters = [self._erased(each, types) for each in written]
        descriptor = f"({''.join(parameters)}){self._erased(result, types)}"
        generic = "".join(map(types.generic, written))
        generic = f"{declared}({generic}){types.generic(result)}"
        attributes = []
        if not access & (_ACCESS["abstract"] | _ACCESS["native"]):
            slots = sum(2 if each in ("J", "D") else 1 for each in parameters)
            own = 0 if "static" in member.modifiers else 1
            attributes.append(self._file.code_that_throws(own + slots))
        if member.throws:
            names = [self._file.pool.class_(self._erased(t, types)[1:-1]) for t in member.throws]
            content = struct.pack(f">{len(names) + 1}H", len(names), *names)
            attributes.append(self._file.attribute("Exceptions", content))
        if generic != descriptor and not (member.kind == "ctor" and self._is_inner()):
            attributes.append(self._file.signature(generic))
        attributes += self._nullness(member.nullness)
        attributes += self._parameter_nullness(member)
        return self._file.member(access, member.name, descriptor, attributes)

    def _is_inner(self) -> bool:
        """Return whether an instance has one of the class around it."""
        nested = self._api.qualified.rpartition(".")[0] in self._classes
        return nested and self._api.kind == "class" and "static" not in self._api.modifiers

    def _enum_methods(self) -> None:
        name = f"L{self._file.name};"
        access = _ACCESS["public"] | _ACCESS["static"]
        for method, descriptor in (
            ("values", f"()[{name}"),
            ("valueOf", f"(Ljava/lang/String;){name}"),
        ):
            code = [self._file.code_that_throws(1)]
            self._file.methods.append(self._file.member(access, method, descriptor, code))

    def _erased(self, text: str, types: _Types | None = None) -> str:
        descriptor = (types or self._types).erased(text)
        self._mentioned.update(re.findall(r"L([^;]+);", descriptor))
        return descriptor

    def _nullness(self, nullness: str | None) -> list[bytes]:
        if nullness is None:
            return []
        content = self._file.marks(f"Landroid/annotation/{nullness};")
        return [self._file.attribute("RuntimeInvisibleAnnotations", content)]

    def _parameter_nullness(self, member: Member) -> list[bytes]:
        if not any(each.nullness for each in member.parameters):
            return []
        rows = [
            self._file.marks(f"Landroid/annotation/{each.nullness};")
            if each.nullness
            else struct.pack(">H", 0)
            for each in member.parameters
        ]
        content = struct.pack(">B", len(rows)) + b"".join(rows)
        return [self._file.attribute("RuntimeInvisibleParameterAnnotations", content)]

    def _nesting(self) -> None:
        """Add the table of nested classes: those mentioned, and its own."""
        rows = []
        wanted: set[str] = set()
        for name in self._mentioned | self._known.nested.get(self._file.name, set()):
            while "$" in name:
                wanted.add(name)
                name = name.rpartition("$")[0]
        for name in sorted(wanted):
            outer, _, short = name.rpartition("$")
            if api := self._known.by_internal.get(name):
                access = self._class_access(api, nested=True)
                pool = self._file.pool
                row = (pool.class_(name), pool.class_(outer), pool.utf8(short), access)
                rows.append(struct.pack(">HHHH", *row))
        if rows:
            content = struct.pack(">H", len(rows)) + b"".join(rows)
            self._file.attributes.append(self._file.attribute("InnerClasses", content))


def _value(descriptor: str, text: str) -> str | int | float:
    """Return the value of a constant that Java's notation states."""
    if descriptor == "Ljava/lang/String;":
        return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", _unescaped, text[1:-1])
    if descriptor == "Z":
        return int(text == "true")
    if descriptor in "FD":
        return float(_NUMBERS.get(text) or text.rstrip("fF"))
    return int(text.rstrip("L"))


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _ESCAPES.get(match[2], match[2])

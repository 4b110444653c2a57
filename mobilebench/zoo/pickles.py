"""Read a pickle as data: nothing in it is imported, called or constructed.

A pickle is a program for a stack machine, and most of its danger is in two of its instructions:
one names any function of any module, the other calls it. Here the first pushes a `Named`, which is
two strings, and the second a `StandIn`, which only holds what would have been the arguments. So a
training loop's own classes, and what a malicious file would have run, are read in the same harmless
way. The few constructors that tensors and dictionaries need are passed in by the caller, by name.

Only the decoding of single instructions is left to the standard library (`pickletools.genops`).
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

_PRIMITIVE = (str, int, float, bytes, bool, type(None))
_MARK = object()


@dataclass(frozen=True)
class Named:
    """A class or function that a pickle names; it is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class StandIn:
    """An object that a pickle describes, without its class: only what the pickle said about it."""

    kind: str
    """The name of the class or of the function that would have returned the object."""
    arguments: tuple[Any, ...] = ()
    state: Any = None
    """What its `__setstate__` would have been given; for most classes its attributes."""
    items: dict[Any, Any] = field(default_factory=dict)
    """What would have been put into it by key, as into a subclass of dict."""
    members: list[Any] = field(default_factory=list)
    """What would have been appended or added, as to a subclass of list or to a set."""

    def __repr__(self) -> str:
        return f"<{self.kind}>"

    @property
    def attributes(self) -> Mapping[Any, Any]:
        """Its attributes, as far as the pickle states them as `__dict__` and `__slots__`."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:
            parts = [part for part in state if isinstance(part, dict)]
            return {key: value for part in parts for key, value in part.items()}
        return state if isinstance(state, dict) else {}


class MalformedPickle(Exception):
    """A pickle that ends early, or asks for what its stack does not hold."""


Constructors = Mapping[str, Callable[..., Any]]
"""Functions that a pickle may call, by `module.name`."""


class PickleReader:
    """Reads one pickle after the other from a file, by the given constructors."""

    def __init__(
        self,
        file: IO[bytes],
        constructors: Constructors,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self._file = file
        self._constructors = constructors
        self._persistent = persistent
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def read(self) -> Any:
        """Read the next pickle of the file.

        Raises `MalformedPickle`, and whatever decoding and the constructors raise.
        """
        self._stack, self._memo = [], {}
        for opcode, argument, _ in pickletools.genops(self._file):
            if opcode.name == "STOP":
                return self._pop()
            self._run(opcode.name, argument)
        raise MalformedPickle("no end")

    def _run(self, instruction: str, argument: Any) -> None:
        """Carry out one instruction; unknown ones, such as those of extensions, are refused."""
        stack = self._stack
        match instruction:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                stack.append(_MARK)
            case "POP":
                stack.pop()
            case "POP_MARK":
                self._since_mark()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case _ if instruction in _CONSTANTS:
                stack.append(_CONSTANTS[instruction]())
            case _ if instruction in _LITERALS:
                stack.append(argument)
            case _ if instruction in _BUILDERS:
                _BUILDERS[instruction](self, argument)
            case _:
                raise MalformedPickle(f"instruction {instruction}")

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise MalformedPickle("a mark in place of a value")
        return value

    def _since_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._since_mark()))

    def _tuple1(self, _: Any) -> None:
        self._stack.append((self._pop(),))

    def _tuple2(self, _: Any) -> None:
        second, first = self._pop(), self._pop()
        self._stack.append((first, second))

    def _tuple3(self, _: Any) -> None:
        third, second, first = self._pop(), self._pop(), self._pop()
        self._stack.append((first, second, third))

    def _list(self, _: Any) -> None:
        self._stack.append(self._since_mark())

    def _dict(self, _: Any) -> None:
        self._stack.append(dict(_pairs(self._since_mark())))

    def _frozenset(self, _: Any) -> None:
        self._stack.append(StandIn("builtins.frozenset", members=self._since_mark()))

    def _append(self, _: Any) -> None:
        self._extend([self._pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _extend(self, members: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(members)
        elif isinstance(target, StandIn):
            target.members.extend(members)
        else:
            raise MalformedPickle(f"appends to {type(target).__name__}")

    def _setitem(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def _setitems(self, _: Any) -> None:
        self._update(self._since_mark())

    def _update(self, alternating: list[Any]) -> None:
        target = self._stack[-1]
        items = target.items if isinstance(target, StandIn) else target
        if not isinstance(items, dict):
            raise MalformedPickle(f"sets an item of {type(target).__name__}")
        items.update(_pairs(alternating))

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(Named(module, name))

    def _stack_global(self, _: Any) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise MalformedPickle("a name that is not text")
        self._stack.append(Named(module, name))

    def _reduce(self, _: Any) -> None:
        arguments, function = self._pop(), self._pop()
        self._stack.append(self._constructed(function, arguments))

    def _newobj_ex(self, _: Any) -> None:
        keywords, arguments, cls = self._pop(), self._pop(), self._pop()
        instance = self._constructed(cls, arguments)
        if isinstance(instance, StandIn) and isinstance(keywords, dict):
            instance.items.update(keywords)
        self._stack.append(instance)

    def _inst(self, argument: str) -> None:
        arguments = tuple(self._since_mark())
        module, _, name = argument.partition(" ")
        self._stack.append(self._constructed(Named(module, name), arguments))

    def _obj(self, _: Any) -> None:
        cls, *arguments = self._since_mark()
        self._stack.append(self._constructed(cls, tuple(arguments)))

    def _constructed(self, function: Any, arguments: Any) -> Any:
        if not isinstance(arguments, tuple):
            raise MalformedPickle("arguments that are not a tuple")
        if not isinstance(function, Named):
            return StandIn("the result of a result", arguments)  # such as that of getattr
        constructor = self._constructors.get(str(function))
        if constructor is None:
            return StandIn(str(function), arguments)
        return constructor(*arguments)

    def _build(self, _: Any) -> None:
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, StandIn):
            target.state = state
        # What a dictionary or a tensor has beside its content is not needed.

    def _persid(self, argument: Any) -> None:
        self._stack.append(argument)
        self._binpersid(None)

    def _binpersid(self, _: Any) -> None:
        if self._persistent is None:
            raise MalformedPickle("a reference to what lies outside the pickle")
        self._stack.append(self._persistent(self._pop()))


def pairs_of(content: object) -> dict[Any, Any]:
    """Return what `dict` would make of a mapping or of a list of pairs."""
    if isinstance(content, dict):
        return content
    if isinstance(content, list | tuple):
        return dict(_pairs([part for pair in content for part in _two(pair)]))
    raise MalformedPickle(f"a dictionary of {type(content).__name__}")


def _two(pair: object) -> tuple[Any, Any]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise MalformedPickle("a pair of another length")
    return pair[0], pair[1]


def _pairs(alternating: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(alternating) % 2:
        raise MalformedPickle("a key without a value")
    for key, value in zip(alternating[::2], alternating[1::2], strict=True):
        yield _key(key), value


def _key(key: Any) -> Any:
    """Return a key that is hashed in no time.

    Others are replaced: a list cannot be hashed, and a tuple of tuples, nested without end, for
    ever.
    """
    if isinstance(key, (*_PRIMITIVE, StandIn, Named)):
        return key
    if isinstance(key, tuple) and all(isinstance(part, _PRIMITIVE) for part in key):
        return key
    return StandIn(type(key).__name__)


_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": lambda: StandIn("builtins.set"),
}
_LITERALS = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
    | {"BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
)
_BUILDERS: Mapping[str, Callable[[PickleReader, Any], None]] = {
    "TUPLE": PickleReader._tuple,
    "TUPLE1": PickleReader._tuple1,
    "TUPLE2": PickleReader._tuple2,
    "TUPLE3": PickleReader._tuple3,
    "LIST": PickleReader._list,
    "DICT": PickleReader._dict,
    "FROZENSET": PickleReader._frozenset,
    "APPEND": PickleReader._append,
    "APPENDS": PickleReader._appends,
    "ADDITEMS": PickleReader._appends,
    "SETITEM": PickleReader._setitem,
    "SETITEMS": PickleReader._setitems,
    "GLOBAL": PickleReader._global,
    "STACK_GLOBAL": PickleReader._stack_global,
    "REDUCE": PickleReader._reduce,
    "NEWOBJ": PickleReader._reduce,
    "NEWOBJ_EX": PickleReader._newobj_ex,
    "INST": PickleReader._inst,
    "OBJ": PickleReader._obj,
    "BUILD": PickleReader._build,
    "PERSID": PickleReader._persid,
    "BINPERSID": PickleReader._binpersid,
}

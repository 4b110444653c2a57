"""Convert values to JSON text and back, strictly.

Unknown keys, wrong types and other schema versions are errors that name the place.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from mobilebench.errors import SchemaError, UserError
from mobilebench.files import write_text

T = TypeVar("T")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the program."""

Plain = Any
"""What JSON has: None, booleans, numbers, texts, lists and dicts."""


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    with _interrupted_later():
        return TypeAdapter(cls)


def to_plain(value: object) -> Plain:
    """Convert a value to dicts, lists, strings and numbers, ready for `json.dumps`."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_plain(part) for part in value]
    every = getattr(type(value), "ABSENT_IS_LEFT_OUT", False)
    return _without_absent(value, _dumped(value), every=every)


def to_sparse(value: object) -> Plain:
    """Convert a value as `to_plain` does, without what is None or empty by default.

    Documents that cross to devices have this form: they say nothing of what is not known.
    """
    if isinstance(value, tuple | list):
        return [to_sparse(part) for part in value]
    return _without_absent(value, _dumped(value), every=True)


def _dumped(value: object) -> Plain:
    cls: Any = type(value)
    with _interrupted_later():
        return _adapter(cls).dump_python(value, mode="json")


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Put signals that end the program off, until the context is left.

    pydantic's core takes whatever Python code raises below it for a fault of the class, or, where
    it writes a union, for another branch's turn: a Ctrl-C in that moment would become another
    error, or be lost and the value written in another form.
    """
    came: list[tuple[int, Any]] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # no other is interrupted
        named = {each: signal.getsignal(each) for each in _ENDING}
        handlers = {each: handler for each, handler in named.items() if callable(handler)}
    try:
        for each in handlers:
            signal.signal(each, lambda *arguments: came.append(arguments))
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        for number, frame in came:
            handlers[signal.Signals(number)](number, frame)


def _without_absent(value: Any, plain: Plain, *, every: bool) -> Plain:
    """Leave out what is absent: of every field, or of those that their class names.

    `LEFT_OUT_WHERE_ABSENT` of a class names fields that older readers do not know.
    """
    if is_dataclass(value):
        named = getattr(value, "LEFT_OUT_WHERE_ABSENT", ())
        return {
            field.name: _without_absent(getattr(value, field.name), plain[field.name], every=every)
            for field in fields(value)
            if not ((every or field.name in named) and _absent(getattr(value, field.name), field))
        }
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        pairs = zip(value, plain, strict=True)
        return [_without_absent(*pair, every=every) for pair in pairs]
    return plain


def _absent(content: Any, field: Field[Any]) -> bool:
    """Return whether a field says no more than its default, and that is nothing."""
    if content is None:
        return field.default is None
    if content == ():
        return field.default == ()
    return content == {} and field.default_factory is dict


def dumps(value: object, indent: int | None = None) -> str:
    """Convert a value to JSON text; infinities and NaN are refused, as JSON has none."""
    separators = (",", ":") if indent is None else None
    return json.dumps(to_plain(value), indent=indent, separators=separators, allow_nan=False)


def loads(cls: type[T], text: str | bytes, what: str = "the document") -> T:
    """Read a value of `cls`; `what` names the document in the error.

    Raises `SchemaError` for text that is not JSON, another `schema_version`, an unknown or missing
    key, and a value of the wrong type.
    """
    # ASCII is UTF-8, and needs no text made anew.
    given = text.encode() if isinstance(text, str) and text.isascii() else None
    return from_plain(cls, parse(text, what), what, given)


def parse(text: str | bytes, what: str = "the document") -> Plain:
    """Parse JSON. Raises `SchemaError` for any other text, NaN and infinities in it included."""
    # Four times as fast; what it refuses is refused below in words, or is UTF-16.
    with suppress(ValueError):
        return from_json(text, allow_inf_nan=False)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{what} is not JSON ({error}); it may have been cut off.") from error


def text_of(plain: Plain) -> bytes:
    """Return the text of parsed JSON, without spaces.

    Raises `ValueError` for text that is not Unicode.
    """
    return to_json(plain)


def from_plain(
    cls: type[T], plain: Any, what: str = "the document", text: bytes | None = None
) -> T:
    """Read a value of `cls` from parsed JSON; otherwise like `loads`.

    `text` is the document's `text_of`, where the caller has that.
    """
    any_class: Any = cls
    current = _in_this_version(cls, plain, what)
    try:
        # Through text once more: strict validation takes enums from strings and tuples from
        # arrays only in JSON mode.
        if text is None or current is not plain:
            text = text_of(current)
        value: T = _adapter(any_class).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        message = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise SchemaError(
            f"{what} is not a valid {_name(cls)}: at {place}: {message}{more}."
        ) from error
    except UserError as error:
        raise SchemaError(f"{what} is not a valid {_name(cls)}: {error}") from error
    except ValueError as error:  # half of a pair of surrogates, which is not text
        raise SchemaError(f"{what} is not a valid {_name(cls)}: {error}.") from error
    return value


def _name(cls: Any) -> str:
    return getattr(cls, "__name__", str(cls))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _in_this_version(cls: Any, plain: Plain, what: str) -> Plain:
    """Return a document in the form of this version. Raises `SchemaError` for one it cannot read.

    `READS_SINCE` of a class is the first version whose documents have only fewer fields.
    """
    any_class: Any = cls
    if not isinstance(plain, dict) or not is_dataclass(cls):
        return plain
    current = getattr(cls, "schema_version", None)
    changes: dict[str, Plain] = {}
    if current is not None:
        _require_version(cls, plain, current, what)
        if plain["schema_version"] != current:
            changes["schema_version"] = current
    for name, part in _parts_with_versions(any_class).items():
        if plain.get(name) is not None:
            changed = _in_this_version(part, plain[name], f"{what}, {name}")
            if changed is not plain[name]:
                changes[name] = changed
    return {**plain, **changes} if changes else plain


def _require_version(cls: Any, plain: dict[str, Plain], current: int, what: str) -> None:
    version = plain.get("schema_version")
    if type(version) is not int:
        raise SchemaError(
            f"{what} has no schema_version, so it is not a mobilebench {cls.__name__}."
        )
    if version > current:
        raise SchemaError(
            f"{what} has schema version {version}, newer than the {current} that this mobilebench "
            f"reads; update mobilebench."
        )
    if version < getattr(cls, "READS_SINCE", current):
        raise SchemaError(
            f"{what} has schema version {version}; this mobilebench reads {current} and cannot "
            f"migrate from {version}."
        )


@cache
def _parts_with_versions(cls: Any) -> dict[str, type[Any]]:
    """Return the fields of a value that are documents with a version themselves."""
    return {
        name: part
        for name, hint in get_type_hints(cls).items()
        for part in (hint, *get_args(hint))
        if is_dataclass(part) and isinstance(part, type) and hasattr(part, "schema_version")
    }


def read(cls: type[T], path: Path) -> T:
    """Read a value of `cls` from a file."""
    return loads(cls, path.read_bytes(), what=str(path))


def write(path: Path, value: object) -> None:
    """Write a value as indented JSON; the file appears whole or not at all."""
    write_text(path, dumps(value, indent=2) + "\n")


def json_schema(cls: Any) -> dict[str, Any]:
    """Return the JSON Schema of a value, for readers in other languages."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_adapter(cls).json_schema(),
    }

"""Check that a model reference names something, without loading torch or the user's code.

A reference is a name of the zoo, `timm:NAME`, `FILE.py:FUNCTION` or `package.module:FUNCTION`.
FUNCTION takes no required arguments and returns a `torch.nn.Module`; a class counts as one.
"""

from __future__ import annotations

import difflib
import linecache
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from mobilebench.errors import CheckpointError, NoSuchModel, UnknownName, UserError
from mobilebench.values.request import TIMM, Request, is_own
from mobilebench.zoo import definitions
from mobilebench.zoo.definitions import Definition
from mobilebench.zoo.registry import list_models
from mobilebench.zoo.timm_names import in_timm, timm_models

EXAMPLE = "def make(): return MyNetwork(width=64)"
"""What a function that a reference names looks like."""
# Pixels on a side: outside this range, a typing error is likelier than a model.
_RESOLUTIONS = range(32, 4097)
_WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".tar")
_FILES = (".onnx", ".tflite", ".pte", ".mlpackage", ".mlmodel")


def require(reference: str) -> None:
    """Raise `UserError` for a reference that names no network, with what it may have meant.

    What only running the user's code can show is not checked.
    """
    if reference.startswith(TIMM):
        _require_timm_name(reference.removeprefix(TIMM))
        return
    place, colon, function = reference.rpartition(":")
    if not colon:
        _require_zoo_name(reference)
    elif place.endswith(".py"):
        _require_function(Path(place), function)
    elif place.endswith(":"):
        raise UserError(
            f"{reference} has more than one colon; write {place.rstrip(':')}:{function}."
        )
    elif not place or not function:
        raise UserError(
            f"{reference!r} names no network; write FILE.py:FUNCTION or package.module:FUNCTION."
        )


def require_options(request: Request) -> None:
    """Raise `UserError` for an option that its network does not take, or lacks.

    Also for a checkpoint that is no file. What only loading can show is not checked.
    """
    reference, own = request.reference, is_own(request.reference)
    for option, given in (
        ("num-classes", request.num_classes),
        ("resolution", request.resolution),
    ):
        if own and given is not None:
            raise UserError(
                f"--{option} is for models of the zoo and of timm; {reference} decides that itself."
            )
    for width in request.widths or ((request.width,) if request.width is not None else ()):
        _require_widths(reference)
        width.of(reference)  # raises for another number of stages
    if request.preprocessing is not None and not own:
        raise UserError(
            f"{reference} already defines how images are prepared for it; --mean and --std are for "
            f"your own networks."
        )
    if own and not request.inputs:
        raise UserError(
            f"{reference} needs its input size: add --input, for example --input 1x3x224x224."
        )
    if not own and not reference.startswith(TIMM):
        _require_one_image(request)
    if request.checkpoint is not None:
        require_checkpoint(request.checkpoint)
    elif request.ema or request.checkpoint_key is not None:
        what = "averaged weights were" if request.ema else "an entry of a checkpoint was"
        raise UserError(f"{reference}: {what} asked for, but no checkpoint given.")


def _require_widths(reference: str) -> None:
    """Raise `UserError` for a network that has one width only."""
    if is_own(reference):
        raise UserError(
            f"--width was given for {reference}, your own network; leave it out, and "
            f"let the function return mobilebench.slimmable.extract(network, width)."
        )
    if reference.startswith(TIMM) and not reference.startswith(f"{TIMM}mobilenetv2_"):
        raise UserError(
            f"--width was given for {reference}; of timm's networks only {TIMM}mobilenetv2_... has "
            f"widths: leave it out."
        )


def require_checkpoint(path: str | Path) -> None:
    """Raise `CheckpointError` for a path that is no file."""
    if not Path(path).is_file():
        raise CheckpointError(f"The checkpoint {path} does not exist or is not a file.")


def _require_one_image(request: Request) -> None:
    if request.inputs:
        raise UserError(
            f"{request.reference} takes one image; choose its size with --resolution instead of "
            f"--input."
        )
    if request.resolution is not None and request.resolution not in _RESOLUTIONS:
        raise UserError(
            f"{request.reference} was asked for at {request.resolution} x {request.resolution} "
            f"pixels; it takes {_RESOLUTIONS.start} to {_RESOLUTIONS.stop - 1}."
        )


def needs_arguments(
    reference: str, required: Sequence[str], where: str | None, taken: Collection[str] = ()
) -> UserError:
    """Build the error for a function that cannot be called without arguments.

    `where` is the line that states them, `taken` the names that a file has already.
    """
    place, _, name = reference.rpartition(":")
    make = "make" if "make" not in taken else f"make_{name.lower()}"
    values = ", ".join(f"{argument}=..." for argument in required)
    return UserError(
        f"{reference} cannot be called without arguments: it takes {', '.join(required)}"
        f"{f' ({where})' if where else ''}. Add a function that gives them, "
        f"def {make}(): return {name}({values}), and export {place}:{make}."
    )


def line_of(file: str, line: int) -> str:
    """Return a line of a file for a sentence, as `FILE, line N: CODE`."""
    return f"{file}, line {line}: {linecache.getline(file, line).strip()}"


def _require_timm_name(name: str) -> None:
    if not name:
        raise UserError("timm: names no model; write timm:NAME, such as timm:resnet18.")
    if timm_models() and not in_timm(name):
        raise UnknownName.among("model", name, timm_models(), prefix=TIMM)


def _require_zoo_name(reference: str) -> None:
    if reference in list_models():
        return
    path = Path(reference)
    if reference.endswith(".py"):
        _require_file(path)
        raise _names_no_function(reference, path)
    if path.suffix in _WEIGHTS:
        raise UserError(
            f"{reference} is named like a file of weights; name the network, and give the file "
            f"with it: FILE.py:FUNCTION --checkpoint {reference}."
        )
    if path.suffix in _FILES:
        raise UserError(
            f"{reference} is named like a file that was exported already; export takes a network, "
            f"and inspect, bench and compare take such a file."
        )
    timm = reference.replace("timm.", "", 1).replace("timm/", "", 1)
    if in_timm(timm):
        raise UnknownName(
            f"There is no model called {reference!r} in the zoo; timm has it: {TIMM}{timm}."
        )
    if path.name and not path.suffix and path.with_suffix(".py").is_file():
        raise _names_no_function(f"{reference}.py", path.with_suffix(".py"))
    package, dot, name = reference.rpartition(".")
    module = Path(package.replace(".", "/")).with_suffix(".py") if package else path
    if dot and name.isidentifier() and module.is_file():
        raise UserError(
            f"There is no model called {reference!r}; a function of a module is named with a "
            f"colon: {package}:{name}."
        )
    raise _unknown(reference)


def _names_no_function(reference: str, path: Path) -> UserError:
    return UserError(
        f"{path} alone names no function; write {reference}:FUNCTION, where the function takes no "
        f"required arguments and returns the network. It has {_listed(definitions.read(path))}."
    )


def _unknown(reference: str) -> NoSuchModel:
    """Build the error for a name that neither the zoo nor timm has."""
    names = [*list_models(), *(f"{TIMM}{name}" for name in timm_models())]
    near = _near(reference, names) or [
        f"{TIMM}{name}" for name in _near(reference, timm_models(), cutoff=0.8)
    ]
    offer = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "`mobilebench models` lists the zoo; timm's models are named timm:NAME, your own "
        "FILE.py:FUNCTION."
    )
    return NoSuchModel(f"There is no model called {reference!r}; {offer}")


def _near(name: str, names: Iterable[str], cutoff: float = 0.7) -> list[str]:
    return difflib.get_close_matches(name, list(names), n=3, cutoff=cutoff)


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    if path.is_dir():
        raise NoSuchModel(f"{path} is a folder; a model is named FILE.py:FUNCTION.")
    others = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
    near = [str(path.parent / name) for name in _near(path.name, others)]
    offer = f"did you mean {' or '.join(near)}?" if near else "a model is named FILE.py:FUNCTION."
    raise NoSuchModel(f"The file {path} does not exist; {offer}")


def _require_function(path: Path, function: str) -> None:
    _require_file(path)
    if not function:
        raise _names_no_function(str(path), path)
    written = definitions.read(path)
    if written is None or not any(each.callable for each in written):
        return
    by_name = {definition.name: definition for definition in written}
    bare = function.partition("(")[0]
    if function != bare and bare in by_name and not by_name[bare].required:
        raise UserError(f"{path}:{function} calls the function; name it alone: {path}:{bare}.")
    if bare not in by_name:
        names = [definition.name for definition in written if definition.callable]
        error = UnknownName.among(f"function in {path}", function, names)
        raise NoSuchModel(
            f"{error} It has to take no required arguments and to return the network: {EXAMPLE}"
        )
    definition = by_name[bare]
    if definition.required:
        where = line_of(str(path), definition.line) if definition.line else None
        raise needs_arguments(f"{path}:{bare}", definition.required, where, by_name)


def _listed(written: list[Definition] | None) -> str:
    names = [
        f"{each.name} (needs {', '.join(each.required)})" if each.required else each.name
        for each in written or ()
        if each.callable
    ]
    return ", ".join(names) or "none"

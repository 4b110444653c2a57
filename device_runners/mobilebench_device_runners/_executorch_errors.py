"""Put the error codes of ExecuTorch's runtime into words, with the operation that failed."""

from __future__ import annotations

import re

from mobilebench.errors import CellFailed

_CODE = re.compile(r"(?:error|status):? 0x:?(?P<code>[0-9a-f]+)", re.IGNORECASE)
_WORDS = {
    0x01: ("Internal", "an internal error of the runtime"),
    0x02: ("InvalidState", "the program was called in a state that does not allow it"),
    0x03: ("EndOfMethod", "the end of the method was passed"),
    0x04: ("AlreadyLoaded", "it was loaded already"),
    0x10: ("NotSupported", "this runtime does not support what the program asks for"),
    0x11: ("NotImplemented", "this runtime does not implement what the program asks for"),
    0x12: ("InvalidArgument", "an argument is not valid"),
    0x13: ("InvalidType", "a value has another type than the program says"),
    0x14: ("OperatorMissing", "this runtime has no kernel for an operation"),
    0x15: ("RegistrationExceedingMaxKernels", "too many kernels were registered"),
    0x16: ("RegistrationAlreadyRegistered", "a kernel was registered twice"),
    0x20: ("NotFound", "something that the program needs was not found"),
    0x21: ("MemoryAllocationFailed", "there was not enough memory"),
    0x22: ("AccessFailed", "the file or its data could not be read"),
    0x23: ("InvalidProgram", "the file is not a valid program for this version of the runtime"),
    0x24: ("InvalidExternalData", "the data beside the program does not belong to it"),
    0x25: ("OutOfResources", "the runtime ran out of a resource"),
    0x30: ("DelegateInvalidCompatibility", "the delegate cannot take a file of this version"),
    0x31: ("DelegateMemoryAllocationFailed", "the delegate had not enough memory"),
    0x32: ("DelegateInvalidHandle", "the delegate got a handle that is not valid"),
}
"""Names and meanings by code, from `runtime/core/error.h` of ExecuTorch 1.5."""
_OPERATION = re.compile(
    r"KernelCall failed at instruction \S+ in operator (\S+?):? 0x"
    r"|Missing operator: \[\d+\] (\S+)"
)
_DELEGATE = re.compile(r"CALL_DELEGATE execute failed|Init failed for backend (\w+)")
# Both report what they look for on this machine, whether a program fails or not.
_LOG_LINE = re.compile(r"^\[(?!cpuinfo|threadpool)\w+\.(?:cpp|h):\d+\] (.*)", re.MULTILINE)
_CAUSE = re.compile(
    r"check failed|attempted|expected|out of range|not found|failed to|fail to|unsupported|missing",
    re.IGNORECASE,
)


def in_words(error: CellFailed) -> CellFailed:
    """Return the error with its code in words; the error itself where it has no known code.

    The runtime's log names the operation, and the check that failed.
    """
    match = _CODE.search(error.message)
    code = None if match is None else int(match["code"], 16)
    if code not in _WORDS:
        return error
    name, meaning = _WORDS[code]
    cause = next((line for line in _LOG_LINE.findall(error.log_tail) if _CAUSE.search(line)), None)
    because = "" if cause is None else f": {cause.strip().rstrip(': ')}"
    message = f"{_where(error.log_tail)}{meaning}{because} (ExecuTorch's code 0x{code:02x})"
    return CellFailed(error.stage, name, message, error.log_tail)


def _where(log: str) -> str:
    """Return the operation or the delegate that the log names, as the start of a sentence."""
    operation = _OPERATION.search(log)
    if operation is not None:
        return f"in the operation {operation[1] or operation[2]}, "
    delegate = _DELEGATE.search(log)
    if delegate is not None:
        return f"in the delegate {delegate[1]}, " if delegate[1] else "in its delegate, "
    return ""

"""The storage and the clock of an Android device, whichever tools come first on its PATH."""

from __future__ import annotations

import re

from mobilebench_device_runners._reading.asking import Answer, text_of


def free_kib_of(answer: Answer) -> int | None:
    """Return the free space that `df -k` shows; busybox breaks the row of a long name in two."""
    lines = text_of(answer).lines
    if not lines or not re.match(r"\s*Filesystem\b", lines[0]):
        return None
    match = re.search(r"\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s", " ".join(lines[1:]) + " ")
    return int(match[3]) if match else None


def sizes_of(answer: Answer) -> dict[str, int]:
    """Return the files in an `ls -l` with their sizes, by toybox or by busybox."""
    files = {}
    for line in text_of(answer).lines:
        match = re.match(
            r"-\S+\s+(?:\d+\s+)?\S+\s+\S+\s+(\d+)\s+"
            r"(?:\d{4}-\d\d-\d\d\s+\d\d:\d\d(?::\S+)?(?:\s[+-]\d{4})?"
            r"|\S+\s+\d{1,2}\.?\s+(?:\d{1,2}:\d\d|\d{4}))\s(.+)$",
            line,
        )
        if match:
            files[match[2]] = int(match[1])
    return files


def knows_nanoseconds(answer: Answer) -> bool | None:
    """Return whether `date +%s%N` gives nanoseconds; None without an answer."""
    word = text_of(answer).first
    if not re.match(r"\d{9,}", word):
        return None
    return bool(re.fullmatch(r"\d{19}", word))


def is_busybox(*answers: Answer) -> bool:
    """Return whether answers to `date`, `df` or a failing `cat` are those of busybox."""
    for answer in answers:
        text = text_of(answer)
        complaint = answer.stderr.decode("utf-8", "replace")
        if re.search(r": can't open '", text.whole + complaint):
            return True
        if re.fullmatch(r"\d{9,10}N", text.first) or re.search(
            r"^/\S+\n\s+\d+\s", text.whole, re.M
        ):
            return True
    return False

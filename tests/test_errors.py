"""A name that does not exist is answered with what it may have meant, and with nothing else."""

from __future__ import annotations

import pytest

from mobilebench.errors import UnknownName


@pytest.mark.parametrize(
    ("name", "names", "end"),
    [
        ("onxx", ("onnx", "tflite"), "did you mean onnx?"),
        ("nosuch", ("bench", "check"), "known: bench, check."),
        ("toaster", ("host",), "known: host."),
        ("make", (), "there are no others."),
        ("zzz", [f"a{number:02}" for number in range(43)], ", a38, a39 and 3 more."),
    ],
)
def test_what_is_offered_is_near_or_all_there_is(name: str, names: list[str], end: str) -> None:
    message = str(UnknownName.among("thing", name, names))
    assert message.startswith(f"There is no thing called {name!r}; ") and message.endswith(end)


def test_what_all_names_share_does_not_make_them_alike() -> None:
    among = UnknownName.among("model", "foo", ("iformer_t", "resnet18"), prefix="timm:")
    assert str(among) == (
        "There is no model called 'timm:foo'; known: timm:iformer_t, timm:resnet18."
    )
    near = UnknownName.among("model", "resnett18", ("iformer_t", "resnet18"), prefix="timm:")
    assert str(near).endswith("did you mean timm:resnet18?")

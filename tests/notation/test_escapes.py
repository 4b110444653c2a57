"""Foreign text stays text in a terminal, a log, a page, a table and a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilebench.notation import escapes

ANY = st.text(st.characters(exclude_categories=[]), max_size=40)
"""Any text that Python holds, halves of surrogate pairs included."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mobilevig_ti@256", "mobilevig_ti@256"),
        ("Größe 名前 🙂", "Größe 名前 🙂"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("nul\x00 c1\x9b del\x7f", r"nul\x00 c1\x9b del\x7f"),
        ("one\r\ntwo\nthree\tfour\u2028five\x85six", "one two three four five six"),
        ("\u202egpj.exe\u2066", r"\u202egpj.exe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("half \ud800 none \uffff", r"half \ud800 none \uffff"),
        ("tag \U000e0041", r"tag \U000e0041"),
    ],
)
def test_what_nobody_sees_is_written_out(text: str, shown: str) -> None:
    assert escapes.visible(text) == shown


@given(ANY)
def test_no_hidden_character_is_left_and_nothing_changes_twice(text: str) -> None:
    shown = escapes.visible(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl"}
    assert escapes.visible(shown) == shown
    ET.fromstring(ET.tostring(ET.Element("x", {"name": shown}), encoding="unicode"))


@pytest.mark.parametrize(
    "text", ["::error::x", "  ::warning file=a::x", "a ::add-mask::x", "\n::error::x", "##[error]x"]
)
def test_no_line_of_a_log_is_a_command(text: str) -> None:
    shown = escapes.terminal(text)
    assert not re.search(r"(^|\s)::", shown) and "##[" not in shown


def test_a_name_of_c_plus_plus_stays_as_it_is() -> None:
    assert escapes.terminal("at::Tensor aten::conv2d") == "at::Tensor aten::conv2d"


def test_a_github_command_has_one_line_and_no_hidden_ends_of_lines() -> None:
    assert escapes.github_data("50%\n::error::x%0Ay") == "50%25 ::error::x%250Ay"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("mobilevig_ti +1.2%", "mobilevig_ti +1.2%"),
        ("a|b`c`", r"a\|b\`c\`"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("**a** _b_ ~~c~~", r"\*\*a\*\* \_b\_ \~\~c\~\~"),
        ("[a](javascript:b)", r"\[a\](javascript:b)"),
        ("&copy; \\| $x$", r"&amp;copy; \\\| \$x\$"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("ask @octocat, @a/team", "ask @&#8203;octocat, @&#8203;a/team"),
        ("(@a) me@home @ 3", "(@&#8203;a) me@home @ 3"),
    ],
)
def test_markdown(text: str, markdown: str) -> None:
    assert escapes.markdown(text) == markdown


def test_latex() -> None:
    assert escapes.latex(r"\input{a_b} 5% & #1 $x$ ~^") == (
        r"\textbackslash{}input\{a\_b\} 5\% \& \#1 \$x\$ \textasciitilde{}\textasciicircum{}"
    )
    assert escapes.latex("[2ex] *") == "{[}2ex{]} {*}", "after the end of a row they are arguments"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
def test_a_cell_of_csv_is_no_formula(text: str) -> None:
    assert escapes.csv(text).startswith("'")
    assert escapes.csv("net-a=1") == "net-a=1"

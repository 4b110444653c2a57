"""Write text of unknown origin into each kind of output, so that it stays text there.

Names, messages and remarks come from records, files and toolkits of others. In a terminal, a page
or a log, some characters are commands: escape sequences, directions of writing, markup, formulas.
Every output passes such text through the one function here that is named for it.
"""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile(r"\r\n|[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]")
_COMMANDS = {"Cc", "Cf", "Cs"}
"""Categories of characters that nobody sees: control, format (directions too), surrogates."""
_LOG_COMMAND = re.compile(r"(?<!\S)::|##(?=\[)")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a formula, also in the full width of Chinese and Japanese text."""
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "[": "{[}", "]": "{]}", "*": "{*}", "`": "{`}", "–": "--", "—": "---", "…": r"\ldots{}",  # noqa: RUF001
    "‘": "{`}", "’": "'", "“": "``", "”": "''", "\xa0": "~",  # noqa: RUF001
    "©": r"\copyright{}", "®": r"\textregistered{}", "™": r"\texttrademark{}",
    "µ": r"$\mu$", "μ": r"$\mu$", "°": r"$^\circ$", "·": r"$\cdot$", "×": r"$\times$",  # noqa: RUF001
    "±": r"$\pm$", "²": "$^2$", "³": "$^3$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$",
}  # fmt: skip
_LATEX_LETTERS = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ"
    "ĀāĂăĆćĈĉĊċČčĎďĒēĔĕĖėĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭİıĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰű"
    "ŴŵŶŷŸŹźŻżŽž"
)
"""Letters beyond ASCII that pdflatex sets in its first encoding, OT1, without a package."""
_LIGATURES = "-',"
"""Characters that become another one where they stand twice."""
_MARKDOWN = {
    "\\": "\\\\", "|": r"\|", "`": r"\`", "*": r"\*", "[": r"\[", "]": r"\]", "~": r"\~",
    "$": r"\$", "<": "&lt;", ">": "&gt;", "&": "&amp;",
}  # fmt: skip
# Between letters and digits an underscore has no meaning, and names are full of them.
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# GitHub looks for names after it has read the markup, so that a backslash does not help.
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_BLOCK = re.compile(r"^(\s*)([#+=-]|\d+[.)])(?=\s|[#=-]|$)")


def visible(text: str) -> str:
    r"""Return the text in one line, with what nobody sees written out, as `\x1b` or `\u202e`.

    Ends of lines and tabs become spaces. Fit for HTML and XML, whose writers escape the markup
    themselves, and for JSON's values.
    """
    line = _BREAKS.sub(" ", text)
    if line.isprintable():
        return line
    return "".join(_spelled(character) if _hidden(character) else character for character in line)


def terminal(text: str) -> str:
    """Return the text for a terminal, or for a log that reads lines as commands.

    GitHub's log takes a line that begins with `::error::`, or holds `##[error]`, for a command.
    """
    return _LOG_COMMAND.sub(
        lambda match: rf"\x{ord(match[0][0]):02x}" + match[0][1:], visible(text)
    )


def terminal_lines(text: str) -> str:
    """Return text of several lines for a terminal, each line as by `terminal`."""
    return "\n".join(map(terminal, text.split("\n")))


def github_data(text: str) -> str:
    """Return the text for the message of a command in GitHub's log."""
    return visible(text).replace("%", "%25")


def github_property(text: str) -> str:
    """Return the text for a property of a command in GitHub's log, such as its file or title."""
    return github_data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    """Return the text for a cell or a line of Markdown, as GitHub reads it.

    A name after `@` stays text: nobody gets a message.
    """
    escaped = "".join(_MARKDOWN.get(character, character) for character in visible(text))
    escaped = _MENTION.sub("@&#8203;", escaped)
    return _BLOCK.sub(_escaped_block, _EMPHASIS.sub(r"\\_", escaped))


def _escaped_block(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2][:-1]}\\{match[2][-1]}"


def latex(text: str) -> str:
    """Return the text for LaTeX, in a table or outside of one.

    What pdflatex has no letter for without a package is written as its number, `U+4E2D`.
    """
    line = unicodedata.normalize("NFC", visible(text))
    parts = []
    for before, character in zip(f" {line}", line, strict=False):
        if character == before and character in _LIGATURES:
            parts.append("{}")
        parts.append(_latex_character(character))
    return "".join(parts)


def _latex_character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if character.isascii() or character in _LATEX_LETTERS:
        return character
    return " " if character.isspace() else f"U+{ord(character):04X}"


def bibtex(text: str) -> str:
    """Return the text for a field of BibTeX between braces, which it counts also after a `\\`."""
    escaped = latex(text)
    return escaped.replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")


def bibtex_comment(text: str) -> str:
    """Return the text for a line between entries of BibTeX, where an entry begins at any `@`."""
    return visible(text).replace("@", "(at)")


def csv(text: str) -> str:
    """Return the text for a cell of CSV that a spreadsheet will not compute.

    A text that begins as a formula does gets an apostrophe before it.
    """
    line = visible(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def _hidden(character: str) -> bool:
    if unicodedata.category(character) in _COMMANDS:
        return True
    # Noncharacters: no document of XML may hold them.
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return rf"\x{code:02x}"
    return rf"\u{code:04x}" if code < 0x10000 else rf"\U{code:08x}"

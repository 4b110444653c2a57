"""Show models under the names that an author gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mobilebench.errors import UserError

_WIDTH = re.compile(r" w[\d.]+(-[\d.]+)*$")


@dataclass(frozen=True)
class Naming:
    """Names to show, checked to tell all models apart."""

    names: Mapping[str, str]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> dict[str, str]:
        """Read texts such as `fastvit_t8=FastViT-T8`.

        Raises `UserError` for another text, an empty name, and a model that is named twice.
        """
        names: dict[str, str] = {}
        for text in texts:
            model, equals, name = text.partition("=")
            if not equals or not model or not name.strip():
                raise UserError(f"--name was given as {text!r}; write MODEL=TEXT.")
            if model in names:
                raise UserError(f"--name names {model} twice; give one name for it.")
            names[model] = name.strip()
        return names

    @classmethod
    def of(cls, names: Mapping[str, str], titles: Iterable[str]) -> Naming:
        """Return a naming of the models with these titles.

        A name for `net` is that of `net@256` and `net w0.5` too, which then keep their size and
        their width. Raises `UserError` for a model that is not there, and where two models would
        have one name.
        """
        naming = cls(dict(names))
        known = dict.fromkeys(titles)
        for model in names:
            if not any(model in (title, bare(title)) for title in known):
                raise UserError(
                    f"There is no model {model!r} to name; there are: {', '.join(known) or 'none'}."
                )
        shown: dict[str, str] = {}
        for title in known:
            name = naming.shown(title)
            if name in shown:
                raise UserError(
                    f"{shown[name]} and {title} would both be shown as {name!r}; give each model "
                    f"its name."
                )
            shown[name] = title
        return naming

    def shown(self, title: str) -> str:
        """Return the name for a model, by itself where no other is given."""
        if title in self.names:
            return self.names[title]
        name = bare(title)
        return self.names[name] + title[len(name) :] if name in self.names else title


def bare(title: str) -> str:
    """Return a title without the size and the width at its end."""
    name = _WIDTH.sub("", title)
    return name.rpartition("@")[0] or name

"""Write the papers of a table's networks as BibTeX, by what is known of them alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mobilebench.notation import escapes
from mobilebench.values.citation import Citation
from mobilebench.values.modelspec import ModelSpec, Source

_TIMM = "timm "
"""What the commit of a source begins with where timm made the network."""
_NOT_STATED = "not stated"


@dataclass(frozen=True)
class Cited:
    """One entry of a bibliography, and the networks that it is about."""

    key: str
    name: str
    """Of the family, for people."""
    models: tuple[str, ...]
    entry: str


@dataclass(frozen=True)
class Bibliography:
    """The entries for some networks, and the networks without one."""

    cited: tuple[Cited, ...]
    unknown: tuple[str, ...]
    """Names of networks whose records state no source."""

    def as_bibtex(self) -> str:
        """Return the file; networks without an entry are comments at its end."""
        parts = [each.entry for each in self.cited]
        comments = [
            f"% {escapes.bibtex_comment(name)}: its record states no source, so there is nothing "
            f"to cite."
            for name in self.unknown
        ]
        return "\n".join([*parts, *comments]) + "\n" if parts or comments else ""


def bibliography(models: Iterable[ModelSpec], papers: Mapping[str, Citation]) -> Bibliography:
    """Return the entries for networks; `papers` are those of the zoo, by family.

    Networks of one family share an entry, and so do those of timm that one paper is about.
    """
    names: dict[tuple[str, str], dict[str, ModelSpec]] = {}
    unknown: dict[str, None] = {}
    for model in models:
        group = _group(model, papers)
        if group is None:
            unknown[model.name] = None
        else:
            names.setdefault(group, {})[model.name] = model
    cited: list[Cited] = []
    for (kind, name), of_group in names.items():
        key = _key(name, {each.key for each in cited})
        if kind == "zoo":
            entry, shown = _of_zoo(key, papers[name]), papers[name].name
        else:
            shown = name
            sources = [model.source for model in of_group.values() if model.source is not None]
            entry = _of_others(key, name, tuple(of_group), sources[0])
        cited.append(Cited(key=key, name=shown, models=tuple(of_group), entry=entry))
    return Bibliography(tuple(cited), tuple(unknown))


def _group(model: ModelSpec, papers: Mapping[str, Citation]) -> tuple[str, str] | None:
    """Return what networks that share an entry have in common; None where nothing is known."""
    if model.source is None:
        return None
    paper = papers.get(model.family or "")
    if paper is not None and paper.arxiv in model.source.paper:
        return "zoo", model.family or ""
    if model.source.paper in (_NOT_STATED, "", "-"):
        return "other", model.name
    return "other", model.source.paper


def _key(name: str, taken: set[str]) -> str:
    """Return a key that no other entry has, of letters and digits."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "network"
    key, number = plain, 1
    while key in taken:
        number += 1
        key = f"{plain}-{number}"
    return key


def _of_zoo(key: str, paper: Citation) -> str:
    arxiv = {"eprint": paper.arxiv, "archivePrefix": "arXiv"}
    lacking = [
        word for word, known in (("title", paper.title), ("authors", paper.authors)) if not known
    ]
    remarks = [f"The zoo knows no {' and no '.join(lacking)} of this paper."] if lacking else []
    if paper.authors:
        remarks.append("The zoo knows the authors by their family names.")
    authors = " and ".join([*paper.authors, *(["others"] if paper.more_authors else [])])
    if paper.title and authors:
        return _entry(
            "inproceedings",
            key,
            {
                "author": authors,
                "title": paper.title,
                "booktitle": paper.venue,
                "year": str(paper.year),
                **arxiv,
            },
            remarks,
        )
    fields = {"author": authors} if authors else {"key": paper.name}
    fields |= {"title": paper.title} if paper.title else {}
    about = "" if paper.title else f"{paper.name}, "
    fields["howpublished"] = f"{about}{paper.venue}, arXiv:{paper.arxiv}"
    return _entry("misc", key, {**fields, "year": str(paper.year), **arxiv}, remarks)


def _of_others(key: str, name: str, models: tuple[str, ...], source: Source) -> str:
    """Return the entry of a network that its record names a source for."""
    remarks = ["Its record states neither the authors nor the year."]
    title = {} if name in models else {"title": name}
    if not title:
        remarks = ["Its record states no paper."]
    maker = ", ".join(models)
    if source.commit.startswith(_TIMM):
        maker = f"{maker} of {source.commit}"
    note = {} if source.licence == _NOT_STATED else {"note": f"Licence: {source.licence}"}
    return _entry(
        "misc",
        key,
        {"key": name, **title, "howpublished": f"{maker}, {source.repository}", **note},
        remarks,
    )


def _entry(kind: str, key: str, fields: Mapping[str, str], remarks: Iterable[str]) -> str:
    lines = [f"% {escapes.bibtex_comment(remark)}" for remark in remarks]
    lines.append(f"@{kind}{{{key},")
    for name, text in fields.items():
        content = " and ".join(map(escapes.bibtex, text.split(" and "))) if name == "author" else ""
        # Capitals of a title stay capitals inside a second pair of braces.
        content = f"{{{escapes.bibtex(text)}}}" if name == "title" else content
        lines.append(f"  {name} = {{{content or escapes.bibtex(text)}}},")
    return "\n".join([*lines, "}"]) + "\n"

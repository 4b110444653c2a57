"""A view of a board: filters, order and columns, which a link keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from mobilebench.errors import UserError, require_known
from mobilebench.leaderboard.columns import Column, by_column, named, offered
from mobilebench.leaderboard.rows import Row

FILTERS: Mapping[str, str] = {
    "model": "model",
    "format": "format",
    "precision": "precision",
    "device-model": "device_model",
    "device": "device",
    "os-build": "os_build",
    "unit": "compute_unit",
    "runtime": "runtime",
    "threads": "threads",
    "protocol": "protocol",
    "resolution": "resolution",
    "status": "status",
    "group": "group",
}
"""What rows can be filtered by, each with its field of a row."""
_WORDS, _SORT, _COLUMNS, _DATA = "q", "sort", "columns", "data"
_MOST = 200
"""Values of one link."""


@dataclass(frozen=True)
class View:
    """What of a board is shown, in which order and with which columns."""

    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By name of `FILTERS`, in its order, the values of which a row has one."""
    words: tuple[str, ...] = ()
    """Words that a row has all of, in whatever case, in its name or its conditions."""
    sort: str | None = None
    """Column within each group; None for the order of ranks."""
    worst_first: bool = False
    columns: tuple[str, ...] = ()
    """In their order; empty for those that have something to show."""
    data: str | None = None
    """Data set whose accuracies are shown."""

    @classmethod
    def of(cls, filters: Mapping[str, Collection[str]], **others: object) -> View:
        """Return a view with these filters. Raises `UserError` for one that does not exist."""
        for name in filters:
            require_known("filter", name, FILTERS)
        ordered = tuple(
            (name, tuple(sorted(set(filters[name])))) for name in FILTERS if filters.get(name)
        )
        return cls(filters=ordered, **others)  # type: ignore[arg-type]

    @classmethod
    def parse(cls, query: str, also: Collection[str] = ()) -> View:
        """Read the query of a link, such as `precision=fp32&precision=int8&sort=-top1`.

        A minus before the column sorts the worst first. `also` are parameters of the page that are
        no part of the view. Raises `UserError` for a parameter, a filter or a column that does not
        exist.
        """
        filters: dict[str, list[str]] = {}
        single: dict[str, str] = {}
        try:
            pairs = parse_qsl(query.removeprefix("?"), max_num_fields=_MOST)
        except ValueError as error:
            raise UserError(f"The link has more than {_MOST} parameters; use fewer.") from error
        for name, content in pairs:
            if name in also:
                continue
            if name in FILTERS:
                filters.setdefault(name, []).append(content)
            elif name in (_WORDS, _SORT, _COLUMNS, _DATA):
                if name in single:
                    raise UserError(f"The link has {name} twice; give it once.")
                single[name] = content
            else:
                require_known("parameter", name, [*FILTERS, _WORDS, _SORT, _COLUMNS, _DATA, *also])
        sort = single.get(_SORT, "")
        columns = single.get(_COLUMNS)
        view = cls.of(
            filters,
            words=tuple(single.get(_WORDS, "").split()),
            sort=sort.removeprefix("-") or None,
            worst_first=sort.startswith("-"),
            columns=() if columns is None else tuple(each.name for each in named(columns)),
            data=single.get(_DATA),
        )
        if view.sort is not None:
            named(view.sort)
        return view

    @property
    def query(self) -> str:
        """The query of a link to this view, without a question mark; empty for the plain board.

        The same view has the same query, and `parse` reads it back.
        """
        pairs = [(name, content) for name, contents in self.filters for content in contents]
        if self.words:
            pairs.append((_WORDS, " ".join(self.words)))
        if self.sort is not None:
            pairs.append((_SORT, f"{'-' * self.worst_first}{self.sort}"))
        if self.columns:
            pairs.append((_COLUMNS, ",".join(self.columns)))
        if self.data is not None:
            pairs.append((_DATA, self.data))
        return urlencode(pairs)

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return the values that a filter lets through; empty where it lets all through."""
        return dict(self.filters).get(name, ())

    def filtered(self, name: str, contents: Collection[str]) -> View:
        """Return the view with other values of one filter; none of them removes it."""
        return replace(self, filters=View.of({**dict(self.filters), name: contents}).filters)

    def sorted(self, column: str) -> View:
        """Return the view sorted by a column, the other way round where it already is."""
        return replace(self, sort=column, worst_first=self.sort == column and not self.worst_first)

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows that the view shows, in its order.

        They keep their ranks, which are those of the whole group.
        """
        shown = [row for row in rows if self._shows(row)]
        if self.sort is None:
            return shown
        return by_column(shown, self.sort, worst_first=self.worst_first)

    def shown_columns(self, rows: Sequence[Row]) -> list[Column]:
        """Return the columns of the view: those chosen, else those with something to show."""
        return named(",".join(self.columns)) if self.columns else offered(rows)

    def _shows(self, row: Row) -> bool:
        for name, contents in self.filters:
            if not contents_of(row, name) & set(contents):
                return False
        text = " ".join(
            [row.name, *(part for name in FILTERS for part in contents_of(row, name))]
        ).lower()
        return all(word.lower() in text for word in self.words)


def contents_of(row: Row, name: str) -> frozenset[str]:
    """Return what a row answers to in a filter.

    A runtime does by its name and with its version, a model by what is shown and by its network.
    """
    content = getattr(row, FILTERS[name])
    if name == "model":
        return frozenset((row.model, row.network))
    if content is None:
        return frozenset()
    if name == "runtime":
        return frozenset((content, content.partition(" ")[0]))
    return frozenset((str(content),))


def choices(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Return what each filter can be set to, with the number of rows that have it.

    A filter that cannot tell rows apart is left out.
    """
    rows = list(rows)
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for row in rows:
        for name in FILTERS:
            content = getattr(row, FILTERS[name])
            if content is not None:
                counts[name][str(content)] += 1
    return {
        name: dict(sorted(counter.items()))
        for name, counter in counts.items()
        if len(counter) > 1 and name != "group"
    }

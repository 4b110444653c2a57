"""Store every record, as the document it is, in SQLite or any SQLAlchemy database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobilebench.store.query import Query
    from mobilebench.store.records import RecordStore, default_url

__all__ = ["Query", "RecordStore", "default_url"]


def __getattr__(name: str) -> Any:
    # On use: code that only signs or reads a document needs no database.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mobilebench.store import query, records

    return getattr(query if name == "Query" else records, name)

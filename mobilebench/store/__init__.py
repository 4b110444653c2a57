"""Store every record, as the document it is, in SQLite or PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobilebench.store.arrivals import Arrival
    from mobilebench.store.query import Page, Query
    from mobilebench.store.records import RecordStore, default_url

_PLACES = {
    "Arrival": "arrivals",
    "Page": "query",
    "Query": "query",
    "RecordStore": "records",
    "default_url": "records",
}
__all__ = ["Arrival", "Page", "Query", "RecordStore", "default_url"]


def __getattr__(name: str) -> Any:
    # On use: code that only signs or reads a document needs no database.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mobilebench.store.{_PLACES[name]}"), name)

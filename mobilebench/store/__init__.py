"""The store: every record, kept as the document it is, in SQLite or any SQLAlchemy database."""

from mobilebench.store.query import Query
from mobilebench.store.records import RecordStore, default_url

__all__ = ["Query", "RecordStore", "default_url"]

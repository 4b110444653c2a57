"""The leaderboard: records ranked, as a table, a file or a page; built without any toolkit."""

from mobilebench.leaderboard.rows import Row, rank

__all__ = ["Row", "rank"]

"""Rank records in a leaderboard: a table, a file or a page, without any toolkit."""

from mobilebench.leaderboard.rows import Row, rank

__all__ = ["Row", "rank"]

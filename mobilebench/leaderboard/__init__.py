"""Rank records in a leaderboard: a table, a file or a page, without any toolkit."""

from mobilebench.leaderboard.board import Board
from mobilebench.leaderboard.rows import Row, rank

__all__ = ["Board", "Row", "rank"]

"""Rank records in a leaderboard: a table, a file, a page or a plot, without any toolkit."""

from mobilebench.leaderboard.board import Board
from mobilebench.leaderboard.rows import Row, rank

__all__ = ["Board", "Row", "rank"]

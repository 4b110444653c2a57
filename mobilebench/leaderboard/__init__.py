"""Rank records in a leaderboard: a table, a file, a page or a plot, without any toolkit."""

from mobilebench.leaderboard.board import Board
from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.ranking import rank
from mobilebench.leaderboard.rows import Row

__all__ = ["Board", "Group", "Row", "groups", "rank"]

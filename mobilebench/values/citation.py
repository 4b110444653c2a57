"""What is known of the paper that a network comes from."""

from __future__ import annotations

from mobilebench.values import value


@value
class Citation:
    """A paper, for a bibliography; what the zoo does not state is None, never guessed."""

    name: str
    """Of the family of networks, as its authors write it."""
    title: str | None
    authors: tuple[str, ...]
    """Family names, in the paper's order; empty where they are not known."""
    more_authors: bool
    """Whether there are authors after these."""
    venue: str
    year: int
    arxiv: str
    """Number of the preprint, such as `2307.00395`."""

"""What a part of mobilebench needs of this computer, and what mends a lack of it."""

from __future__ import annotations

from mobilebench.values import value


@value
class Need:
    """One thing that has to be there."""

    name: str
    met: bool
    here: str
    """What is there, or what is wrong."""
    mend: str | None = None
    """The one command that mends it; None where nothing has to be done."""

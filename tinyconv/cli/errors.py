"""What goes wrong by the user's hand."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """Ends the command with this message, as one line on standard error, and status 1."""

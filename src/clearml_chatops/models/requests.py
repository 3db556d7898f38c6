"""Requests of chat platforms, which deliver some of them again."""

from enum import Enum


class RequestState(Enum):
    """What became of a request when it was delivered before."""

    NEW = "new"
    """It wasn't delivered before: carry it out."""
    HANDLED = "handled"
    """It is being carried out by this process, or was answered: do nothing."""
    INTERRUPTED = "interrupted"
    """It was begun by a process that ended before the answer: say so, and don't carry it out again."""

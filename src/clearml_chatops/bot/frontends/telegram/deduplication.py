"""Detection of updates that Telegram delivers again because it missed their confirmation."""

from collections import deque

_MAX_REMEMBERED = 2000


class SeenUpdates:
    """The ids of the most recent updates."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._ids: set[int] = set()

    def add_if_new(self, update_id: int) -> bool:
        """Add an update. Return whether it is new."""
        if update_id in self._ids:
            return False
        self._ids.add(update_id)
        self._order.append(update_id)
        if len(self._order) > _MAX_REMEMBERED:
            self._ids.discard(self._order.popleft())
        return True

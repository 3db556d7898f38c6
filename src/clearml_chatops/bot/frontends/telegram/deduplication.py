"""Updates that Telegram delivers twice, because it did not learn that they had arrived."""

from collections import deque

_MAX_REMEMBERED = 2000


class SeenUpdates:
    """Remembers the last updates by their ids."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._ids: set[int] = set()

    def add_if_new(self, update_id: int) -> bool:
        """Whether the update has not been asked about before."""
        if update_id in self._ids:
            return False
        self._ids.add(update_id)
        self._order.append(update_id)
        if len(self._order) > _MAX_REMEMBERED:
            self._ids.discard(self._order.popleft())
        return True

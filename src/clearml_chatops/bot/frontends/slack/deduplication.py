"""Deduplication of requests: Slack redelivers what it believes was lost."""

from collections import OrderedDict

_MAX_KEYS = 10_000


class Deduplicator:
    """Remembers the newest keys; Slack redelivers within minutes, so older ones are dropped."""

    def __init__(self, max_keys: int = _MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_duplicate(self, *keys: str) -> bool:
        """Return whether any of the keys was seen before, and remember all of them. Empty keys are ignored."""
        nonempty_keys = [key for key in keys if key]
        repeated = any(key in self._seen for key in nonempty_keys)
        for key in nonempty_keys:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self._max_keys:
            self._seen.popitem(last=False)
        return repeated

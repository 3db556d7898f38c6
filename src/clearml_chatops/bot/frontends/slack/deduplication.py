"""What has been seen already: Slack delivers again what it believes lost."""

from collections import OrderedDict

_MAX_KEYS = 10_000


class Deduplicator:
    """Remembers the newest keys. Slack repeats within minutes, so older ones can be forgotten."""

    def __init__(self, max_keys: int = _MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_duplicate(self, *keys: str) -> bool:
        """Whether one of the keys came before; all of them are remembered. An empty key stands for none."""
        nonempty_keys = [key for key in keys if key]
        repeated = any(key in self._seen for key in nonempty_keys)
        for key in nonempty_keys:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self._max_keys:
            self._seen.popitem(last=False)
        return repeated

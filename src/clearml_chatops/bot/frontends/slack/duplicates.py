"""What has been seen already: Slack delivers again what it believes lost."""

from collections import OrderedDict

_MOST_REMEMBERED = 10_000


class Duplicates:
    """Remembers the newest keys. Slack repeats within minutes, so older ones can be forgotten."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_repeated(self, *keys: str) -> bool:
        """Whether one of the keys came before; all of them are remembered. An empty key stands for none."""
        known = [key for key in keys if key]
        repeated = any(key in self._seen for key in known)
        for key in known:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return repeated

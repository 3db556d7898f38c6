"""The rate limiter: Slack allows about one message per second and channel, with short bursts."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

_MAX_CHANNELS = 1000


class RateLimiter:
    """Grants slots per channel: `burst` of them at once, then one per `interval`."""

    def __init__(
        self,
        *,
        interval: timedelta = timedelta(seconds=1),
        burst: int = 10,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._interval = interval.total_seconds()
        self._tolerance = self._interval * (burst - 1)
        self._clock = clock
        self._due: dict[str, float] = {}

    async def acquire(self, channel: str) -> None:
        """Wait until the next message may be sent to a channel."""
        await asyncio.sleep(self.reserve(channel))

    def reserve(self, channel: str) -> float:
        """Take the next slot of a channel and return the seconds until it."""
        now = self._clock() if self._clock else asyncio.get_running_loop().time()
        if len(self._due) > _MAX_CHANNELS:
            self._due = {name: due for name, due in self._due.items() if due > now}
        due = max(self._due.get(channel, now), now)
        self._due[channel] = due + self._interval
        return max(due - now - self._tolerance, 0.0)

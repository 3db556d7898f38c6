"""Not faster than Slack allows: about one message a second in a channel, with short bursts."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

_MAX_CHANNELS = 1000


class RateLimiter:
    """Gives out turns, per channel: `burst` of them at once, then one each `interval`."""

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
        """Returns when the next message may go to a channel."""
        await asyncio.sleep(self.reserve(channel))

    def reserve(self, channel: str) -> float:
        """Takes the next turn of a channel and gives the seconds until it."""
        now = self._clock() if self._clock else asyncio.get_running_loop().time()
        if len(self._due) > _MAX_CHANNELS:
            self._due = {name: due for name, due in self._due.items() if due > now}
        due = max(self._due.get(channel, now), now)
        self._due[channel] = due + self._interval
        return max(due - now - self._tolerance, 0.0)

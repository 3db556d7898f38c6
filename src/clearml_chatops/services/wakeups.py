"""Wake-ups for loops, so that they don't have to poll for work."""

import asyncio


class Wakeup:
    """Wakes all subscribers. One that is busy when `wake` is called finds its event set afterwards."""

    def __init__(self) -> None:
        self._subscribers: list[asyncio.Event] = []

    def subscribe(self) -> asyncio.Event:
        """Return an event that each `wake` sets. The subscriber has to clear it."""
        event = asyncio.Event()
        self._subscribers.append(event)
        return event

    def wake(self) -> None:
        for event in self._subscribers:
            event.set()

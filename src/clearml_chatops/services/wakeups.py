"""Telling those who wait that there is work, so that they need not look all the time."""

import asyncio


class Wakeup:
    """Wakes all that listen. One that is busy when it rings finds it rung afterwards."""

    def __init__(self) -> None:
        self._subscribers: list[asyncio.Event] = []

    def subscribe(self) -> asyncio.Event:
        """An event that is set at each ring; whoever waits for it clears it."""
        event = asyncio.Event()
        self._subscribers.append(event)
        return event

    def wake(self) -> None:
        for event in self._subscribers:
            event.set()

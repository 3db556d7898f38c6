"""Telling those who wait that there is work, so that they need not look all the time."""

import asyncio


class Bell:
    """Wakes all that listen. One that is busy when it rings finds it rung afterwards."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Event] = []

    def listener(self) -> asyncio.Event:
        """An event that is set at each ring; whoever waits for it clears it."""
        event = asyncio.Event()
        self._listeners.append(event)
        return event

    def ring(self) -> None:
        for event in self._listeners:
            event.set()

"""The order of requests: those of one person run one after the other, those of different people in parallel.

A phone that was offline sends several messages at once, and `/set` must run before the `/enqueue` that was
written after it.
"""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary


class Place:
    """A request's place in the line of its person's requests."""

    def __init__(self, previous: "Place | None") -> None:
        self.previous = previous
        self.is_over = asyncio.Event()

    async def wait_for_turn(self) -> None:
        """Wait until all requests that came before have ended."""
        while self.previous is not None:
            await self.previous.is_over.wait()
            # One that was cancelled while it waited may have ended before the one that it waited for.
            self.previous = self.previous.previous

    def give_up(self) -> None:
        """Let the requests that came after have their turn."""
        self.is_over.set()


class RequestOrder:
    """Lines of requests, one for each key: the person, or the person in one conversation."""

    def __init__(self) -> None:
        self._last_places: WeakValueDictionary[Hashable, Place] = WeakValueDictionary()

    @contextmanager
    def queue_up(self, key: Hashable) -> Iterator[Place]:
        """Take the next place in the line. The request ends with the context.

        The place is taken at once, so requests keep the order in which they came, however long each takes
        until it waits for its turn.
        """
        place = self._last_places[key] = Place(self._last_places.get(key))
        try:
            yield place
        finally:
            place.give_up()

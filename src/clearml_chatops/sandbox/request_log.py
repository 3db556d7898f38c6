"""The log of handled requests."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

MAX_LOGGED_REQUESTS = 10_000


@dataclass
class HandledRequest:
    """A request with its start and finish as ticks of a counter that all requests share."""

    endpoint: str
    """`service.action`, without the version."""
    method: str
    path: str
    raw_body: bytes
    start_tick: int
    finish_tick: int | None = None
    status: int | None = None
    user: str | None = None
    """The name of the user it acted as; None if it was refused before that was known."""

    @property
    def body(self) -> Any:
        """The parsed JSON body, or its text if it is JSON lines or not JSON."""
        try:
            return json.loads(self.raw_body or b"{}")
        except ValueError:
            return self.raw_body.decode(errors="replace")

    def overlaps(self, other: "HandledRequest") -> bool:
        """Return whether both were handled at the same time."""
        return not (self.precedes(other) or other.precedes(self))

    def precedes(self, other: "HandledRequest") -> bool:
        """Return whether it was finished before the other started."""
        return self.finish_tick is not None and self.finish_tick < other.start_tick


class RequestLog:
    """The latest requests, in order of arrival."""

    def __init__(self) -> None:
        self._requests: deque[HandledRequest] = deque(maxlen=MAX_LOGGED_REQUESTS)
        self._ticks = count(1)

    def __iter__(self) -> Iterator[HandledRequest]:
        return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def clear(self) -> None:
        self._requests.clear()

    def find_by_endpoint(self, *endpoints: str) -> list[HandledRequest]:
        """Return the requests to some endpoints."""
        return [request for request in self if request.endpoint in endpoints]

    def list_endpoints(self, *, exclude: tuple[str, ...] = ("auth.login",)) -> list[str]:
        """Return the requested endpoints in order, by default without auth.login."""
        return [request.endpoint for request in self if request.endpoint not in exclude]

    def count_longest_sequence(self, *, exclude: tuple[str, ...] = ("auth.login",)) -> int:
        """Return the longest chain of requests that waited for one another; concurrent ones count once."""
        depths: list[tuple[HandledRequest, int]] = []
        for request in self:
            if request.endpoint not in exclude:
                previous_depths = (depth for other, depth in depths if other.precedes(request))
                depths.append((request, 1 + max(previous_depths, default=0)))
        return max((depth for _, depth in depths), default=0)

    def record_start(self, endpoint: str, method: str, path: str, body: bytes) -> HandledRequest:
        request = HandledRequest(endpoint, method, path, body, start_tick=next(self._ticks))
        self._requests.append(request)
        return request

    def record_finish(self, request: HandledRequest, status: int | None) -> None:
        request.status = status
        request.finish_tick = next(self._ticks)

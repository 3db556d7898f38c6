"""What the server was asked, and what tests make it answer instead: the record of requests, and faults."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

MAX_LOGGED_REQUESTS = 10_000


@dataclass
class HandledRequest:
    """One request, with when it began and ended on a counter common to all requests."""

    endpoint: str
    """`service.action`, without the version."""
    method: str
    path: str
    raw_body: bytes
    start_tick: int
    finish_tick: int | None = None
    status: int | None = None
    user: str | None = None
    """The name of the user it acted as; None where it was refused before that was known."""

    @property
    def body(self) -> Any:
        """The JSON of the body; its text where it is JSON lines or no JSON."""
        try:
            return json.loads(self.raw_body or b"{}")
        except ValueError:
            return self.raw_body.decode(errors="replace")

    def overlaps(self, other: "HandledRequest") -> bool:
        """Whether both were being answered at some one time."""
        return not (self.precedes(other) or other.precedes(self))

    def precedes(self, other: "HandledRequest") -> bool:
        """Whether it had been answered when the other arrived."""
        return self.finish_tick is not None and self.finish_tick < other.start_tick


class RequestLog:
    """The last requests, in order of arrival."""

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
        """The requests to some endpoints."""
        return [request for request in self if request.endpoint in endpoints]

    def list_endpoints(self, *, exclude: tuple[str, ...] = ("auth.login",)) -> list[str]:
        """The endpoints asked, in order; signing in is left out unless `without` says otherwise."""
        return [request.endpoint for request in self if request.endpoint not in exclude]

    def count_longest_sequence(self, *, exclude: tuple[str, ...] = ("auth.login",)) -> int:
        """How many requests had to wait for one another, at most: those beside each other count once."""
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


@dataclass
class Fault:
    """What goes wrong with the requests to an endpoint (`*` for every one)."""

    endpoint: str
    times: int | None = None
    """How many requests it befalls before it is over; None for all."""
    delay: float = 0.0
    """Seconds that the answer takes."""
    status: int | None = None
    body: bytes = b""
    content_type: str = "application/json"
    disconnects: bool = False
    """The connection is closed without an answer."""
    takes_effect: bool = False
    """Whether the request takes effect all the same, and only its answer is lost or replaced."""


@dataclass
class Faults:
    """The faults in force; the first that fits a request befalls it."""

    active: list[Fault] = field(default_factory=list)

    def delay(self, endpoint: str, seconds: float, *, times: int | None = None) -> None:
        """Lets answers of an endpoint take so many seconds longer."""
        self.active.append(Fault(endpoint, times, delay=seconds))

    def answer(
        self,
        endpoint: str,
        *,
        status: int,
        body: str = "",
        content_type: str = "text/html",
        times: int | None = None,
        takes_effect: bool = False,
    ) -> None:
        """Answers an endpoint's requests with this instead, as a broken server or proxy would."""
        fault = Fault(
            endpoint,
            times,
            status=status,
            body=body.encode(),
            content_type=content_type,
            takes_effect=takes_effect,
        )
        self.active.append(fault)

    def reject_credentials(self, endpoint: str = "*", *, times: int | None = None) -> None:
        """Answers as to wrong credentials."""
        meta = {
            "result_code": 401,
            "result_subcode": 22,
            "result_msg": "Unauthorized (invalid credentials) (failed to locate provided credentials)",
        }
        body = json.dumps({"meta": meta, "data": {}})
        self.answer(endpoint, status=401, body=body, content_type="application/json", times=times)

    def disconnect(self, endpoint: str, *, times: int | None = None, takes_effect: bool = False) -> None:
        """Closes the connection instead of answering."""
        self.active.append(Fault(endpoint, times, disconnects=True, takes_effect=takes_effect))

    def clear(self) -> None:
        self.active.clear()

    def take(self, endpoint: str) -> Fault | None:
        """The fault that befalls a request to the endpoint now."""
        for fault in self.active:
            if fault.endpoint in {endpoint, "*"}:
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self.active.remove(fault)
                return fault
        return None

"""Faults of the server: each affects one or more calls of a method."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.telegram.refusals import RefusalError


@dataclass
class Fault:
    """A wrong or late response: late only, if it has neither a refusal nor a dropped connection.

    The response waits for `release_event`. `side_effect` is called while the request is in flight.
    With `runs_method` the method runs before the response is lost. The first `skip` calls have no fault, and
    the next `times` calls have it.
    """

    refusal: RefusalError | None = None
    drops_connection: bool = False
    runs_method: bool = False
    release_event: asyncio.Event | None = None
    side_effect: Callable[[], object] | None = None
    skip: int = 0
    times: int = 1

    @classmethod
    def too_many_requests(cls, *, retry_after: int = 1, skip: int = 0, times: int = 1) -> "Fault":
        refusal = RefusalError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
        return cls(refusal, skip=skip, times=times)

    @classmethod
    def conflict(cls, *, times: int = 1) -> "Fault":
        return cls(CONFLICT, times=times)

    @classmethod
    def broken(cls, status: int = 500, *, times: int = 1) -> "Fault":
        words = {500: "Internal Server Error", 502: "Bad Gateway"}[status]
        return cls(RefusalError(status, words), times=times)

    @classmethod
    def dropped(cls, *, runs_method: bool = False, times: int = 1) -> "Fault":
        return cls(drops_connection=True, runs_method=runs_method, times=times)

    @classmethod
    def delayed_until(cls, event: asyncio.Event) -> "Fault":
        return cls(release_event=event)

    @classmethod
    def with_side_effect(cls, side_effect: Callable[[], object]) -> "Fault":
        return cls(side_effect=side_effect)


CONFLICT = RefusalError(
    409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)


@dataclass
class Faults:
    """The planned faults by method."""

    planned: dict[str, list[Fault]] = field(default_factory=dict)

    def add(self, method: str, fault: Fault) -> None:
        self.planned.setdefault(method, []).append(fault)

    def take_next(self, method: str) -> Fault | None:
        faults = self.planned.get(method, [])
        if not faults:
            return None
        if faults[0].skip:
            faults[0].skip -= 1
            return None
        faults[0].times -= 1
        return faults.pop(0) if faults[0].times <= 0 else faults[0]

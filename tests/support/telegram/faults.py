"""What the server is made to do wrong, one fault for one or more calls of a method."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.telegram.refusals import RefusalError


@dataclass
class Fault:
    """A wrong answer. With neither a refusal nor a drop the answer is right, and only late.

    `until` holds the answer back until a test sets it. `happens` is what happens in the world while the request
    is on its way. `carried_out` has the request done before its answer is lost. `skip` calls are answered
    rightly first, then `times` are not.
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
    """The faults that are still to come, by method."""

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

"""Faults: what tests make the server do wrong."""

import json
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What goes wrong with requests to an endpoint (`*`: all endpoints)."""

    endpoint: str
    times: int | None = None
    """How many requests it affects; None for all."""
    delay: float = 0.0
    """Seconds by which the answer is delayed."""
    status: int | None = None
    body: bytes = b""
    content_type: str = "application/json"
    disconnects: bool = False
    """Whether the connection is closed without an answer."""
    takes_effect: bool = False
    """Whether the request still takes effect, and only its answer is lost or replaced."""


@dataclass
class Faults:
    """The active faults. The first that matches a request applies."""

    active: list[Fault] = field(default_factory=list)

    def delay(self, endpoint: str, seconds: float, *, times: int | None = None) -> None:
        """Delay the answers of an endpoint."""
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
        """Replace the answers of an endpoint, like a broken server or proxy."""
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
        """Answer as if the credentials were wrong."""
        meta = {
            "result_code": 401,
            "result_subcode": 22,
            "result_msg": "Unauthorized (invalid credentials) (failed to locate provided credentials)",
        }
        body = json.dumps({"meta": meta, "data": {}})
        self.answer(endpoint, status=401, body=body, content_type="application/json", times=times)

    def disconnect(self, endpoint: str, *, times: int | None = None, takes_effect: bool = False) -> None:
        """Close the connection instead of answering."""
        self.active.append(Fault(endpoint, times, disconnects=True, takes_effect=takes_effect))

    def clear(self) -> None:
        self.active.clear()

    def take(self, endpoint: str) -> Fault | None:
        """Return the fault for a request to the endpoint, and count it."""
        for fault in self.active:
            if fault.endpoint in {endpoint, "*"}:
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self.active.remove(fault)
                return fault
        return None

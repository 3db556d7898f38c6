"""One request to the Bot API."""

from dataclasses import dataclass, field
from typing import Any

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its method, its parameters with JSON read, and the files that came with it."""

    method: str
    parameters: Parameters
    files: dict[str, SentFile] = field(default_factory=dict)

"""Edits of a draft, stored for undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class EditKind(StrEnum):
    PARAMETERS = "parameters"
    CONTAINER = "container"
    SCRIPT = "script"
    NAME = "name"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class DraftEdit:
    """What one command changed. `before` and `after` are JSON; their shape depends on the kind."""

    experiment_id: str
    kind: EditKind
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    id: int = 0

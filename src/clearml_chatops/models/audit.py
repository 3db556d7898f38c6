"""The audit trail: every command that was sent, and its outcome."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.replies import Outcome


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One command. `incident_id` links an unexpected error that the person saw to the log."""

    at: datetime
    identity: str
    person_id: int | None
    conversation: str
    command: str
    outcome: Outcome
    experiment_id: str = ""
    error_code: str = ""
    incident_id: str = ""

"""The audit trail: every command that anybody gave, and how it ended."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.replies import Outcome


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`incident` is the id that the person saw and the log holds, for what was unexpected."""

    at: datetime
    identity: str
    person_id: int | None
    conversation: str
    command: str
    outcome: Outcome
    experiment_id: str = ""
    error_code: str = ""
    incident_id: str = ""

"""What a button says about an experiment that is one of several with the same name."""

from datetime import datetime

from clearml_chatops.handlers.formatting import format_time_ago
from clearml_chatops.handlers.message_lines import to_single_line
from clearml_chatops.models.experiments import Experiment

_MAX_NAME_LENGTH = 20
_MAX_OWNER_LENGTH = 12


def format_choice(experiment: Experiment, now: datetime) -> str:
    """Return short id, name, status, age and owner, in the 75 characters that a button has everywhere."""
    parts = (
        experiment.short_id,
        to_single_line(experiment.name, _MAX_NAME_LENGTH),
        experiment.status.label,
        format_time_ago(experiment.status_changed, now),
        to_single_line(experiment.user_name or "owner unknown", _MAX_OWNER_LENGTH),
    )
    return " · ".join(parts)

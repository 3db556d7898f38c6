"""What is wrong with a wish to be told of something."""

from clearml_chatops.models.errors.base import ChatOpsError


class BadPatternError(ChatOpsError):
    """What was given is no regular expression."""

    code = "bad_pattern"
    text = (
        "“{pattern}” is no regular expression: {reason} at character {position}. "
        "Correct it; a sign that is meant as it is needs a \\ before it."
    )


class AmbiguousMetricError(ChatOpsError):
    """Several scalars fit, and an alert is for one."""

    code = "ambiguous_metric"
    text = "“{name}” fits {names} of “{experiment}”; name one of them in full."


class RunEndedError(ChatOpsError):
    """The run is over, so that it reports and logs no more."""

    code = "run_ended"
    text = "“{name}” is {status}, so nothing more will come of it; set the alert when it is in a queue again."


class TooManyAlertsError(ChatOpsError):
    """A conversation has as many alerts as it may have."""

    code = "too_many_alerts"
    text = "There are {limit} alerts here already; remove one with /alert off, or all with /alert off all."


class AlertNotFoundError(ChatOpsError):
    """The conversation has no alert with this number."""

    code = "alert_not_found"
    text = "There is no alert {number} here: it was removed, or has come true; /alert lists what there is."

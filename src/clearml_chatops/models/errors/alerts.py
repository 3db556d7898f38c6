"""Errors of alerts."""

from clearml_chatops.models.errors.base import ChatOpsError


class BadPatternError(ChatOpsError):
    """The pattern is not a valid regular expression."""

    code = "bad_pattern"
    text = (
        "“{pattern}” isn't a valid regular expression: {reason} at character {position}. "
        "To match a special character itself, put a \\ before it."
    )


class AmbiguousMetricError(ChatOpsError):
    """Several scalars match the name, and an alert is for one."""

    code = "ambiguous_metric"
    text = "“{name}” matches {names} of “{experiment}”. Use the full name of one of them."


class RunEndedError(ChatOpsError):
    """The run is over and will report and log nothing more."""

    code = "run_ended"
    text = "“{name}” is {status}, so it reports and logs nothing more. Set the alert when it's Pending again."


class TooManyAlertsError(ChatOpsError):
    """The conversation has the maximum number of alerts."""

    code = "too_many_alerts"
    text = "There are already {limit} alerts here. Remove one with /alert off, or all with /alert off all."


class AlertNotFoundError(ChatOpsError):
    """The conversation has no alert with this number."""

    code = "alert_not_found"
    text = "There's no alert {number} here: it was removed, or has fired already. See all with /alert."

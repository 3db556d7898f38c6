"""Errors of settings and the database, and of /wait."""

from clearml_chatops.models.errors.base import ChatOpsError


class SettingsError(ChatOpsError):
    """A setting is wrong or missing; the program does not start (exit code 78)."""

    code = "settings"
    text = "{name}: {reason}"


class DatabaseOutdatedError(ChatOpsError):
    """The database was made by another version of the program, or by another program."""

    code = "database_outdated"
    text = (
        "The database {url} is at revision {found}, and this version needs {needed}. "
        "Back it up, then run: clearml-chatops database upgrade"
    )


class DatabaseUnusableError(ChatOpsError):
    """The database cannot be opened."""

    code = "database_unusable"
    text = "DATABASE_URL: the database {url} can't be opened ({reason})."


class DatabaseBusyError(DatabaseUnusableError):
    """The database is locked, or its server doesn't answer: it can probably be used in a moment."""

    code = "database_busy"
    text = "The bot's own database can't be used at the moment ({reason}). Try again in a minute."


class WaitTimeoutError(ChatOpsError):
    """The experiment did not reach the status that /wait waits for in time."""

    code = "wait_timeout"
    text = "“{name}” is still {status} after {timeout}. Use a longer timeout=, or check it with /show."


class WaitImpossibleError(ChatOpsError):
    """The run ended in another status than the one that /wait waits for."""

    code = "wait_impossible"
    text = "“{name}” is {status} and won't become {expected_status} by itself. See why with /log."

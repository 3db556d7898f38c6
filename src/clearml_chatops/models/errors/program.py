"""What keeps the program itself from its work."""

from clearml_chatops.models.errors.base import ChatOpsError


class SettingsError(ChatOpsError):
    """A setting is wrong or missing; the program does not start (exit code 78)."""

    code = "settings"
    text = "{name}: {reason}"


class DatabaseOutdatedError(ChatOpsError):
    """The database was made by another version of the program; it is never used half-understood."""

    code = "database_outdated"
    text = (
        "The database {url} is at revision {found} and this program needs {needed}; "
        "save a copy of it and run: clearml-chatops database upgrade"
    )


class DatabaseUnusableError(ChatOpsError):
    """The database cannot be opened."""

    code = "database_unusable"
    text = "DATABASE_URL: the database {url} cannot be opened ({reason})."


class WaitTimeoutError(ChatOpsError):
    """/wait saw the time run out."""

    code = "wait_timeout"
    text = "“{name}” is still {status} after {timeout}; ask again with a longer timeout=, or look with /show."


class WaitImpossibleError(ChatOpsError):
    """The run ended in another way than waited for, so waiting on is useless."""

    code = "wait_impossible"
    text = "“{name}” is {status}, so it will not become {wanted} by itself; look with /log."

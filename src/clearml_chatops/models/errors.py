"""Everything that can go wrong in a way a person can do something about.

Each class has a stable `code` (tests and the audit trail use it), a docstring that says when it
happens, and a `text` for the person that says what to do next. Values from outside are put in as they
are: text is escaped where it is shown, never here.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.replies import Button

LONGEST_QUOTED_VALUE = 200
"""Characters of a person's own input repeated in an error; a longer one is cut."""


class ChatOpsError(Exception):
    """A command could not be carried out. `offers` are command lines that would help."""

    code: ClassVar[str] = "error"
    text: ClassVar[str] = "{reason}"

    def __init__(self, *, offers: Sequence[Button] = (), **values: object) -> None:
        self.offers = tuple(offers)
        self.values = values
        shown = {name: shorten(str(value)) for name, value in values.items()}
        super().__init__(self.text.format(**shown))


def shorten(text: str) -> str:
    """The text on one line, cut to what an error can repeat."""
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= LONGEST_QUOTED_VALUE else line[: LONGEST_QUOTED_VALUE - 1] + "…"


# ── What was typed ────────────────────────────────────────────────────────────────────────────────


class UnknownCommandError(ChatOpsError):
    """No command has this name."""

    code = "unknown_command"
    text = "There is no command “{name}”.{nearest} /help lists what there is."


class UsageError(ChatOpsError):
    """A command was given too little, too much or the wrong kind of arguments."""

    code = "usage"
    text = "{reason} Usage: {usage}"


class UnbalancedQuoteError(ChatOpsError):
    """A quote was opened and not closed."""

    code = "unbalanced_quote"
    text = "The quote {quote} before “{rest}” is not closed; add the closing {quote} or remove it."


class LineTooLongError(ChatOpsError):
    """A line beyond anything a person types."""

    code = "line_too_long"
    text = "That line has {length} characters and the limit is {limit}; send a shorter one."


class InvalidValueError(ChatOpsError):
    """An argument or a parameter's value is not of the kind that is needed."""

    code = "invalid_value"
    text = "{name}: “{value}” is not {expected}; {advice}"


class ParameterInNameError(ChatOpsError):
    """A parameter and its value, parted by a space, where a name was expected."""

    code = "parameter_in_name"
    text = "“{name}” is a parameter, not a name; write {name}={value} with no space around =."


class NameTooShortError(ChatOpsError):
    """ClearML refuses names under three characters (contract: 400/800)."""

    code = "name_too_short"
    text = "“{name}” is too short: ClearML needs names of at least 3 characters, so choose a longer one."


# ── Who may ───────────────────────────────────────────────────────────────────────────────────────


class StrangerError(ChatOpsError):
    """Somebody whom the bot does not know."""

    code = "stranger"
    text = "I do not know you yet. Ask {admins} to let you in and give this id: {identity}"


class QueueNotYoursError(ChatOpsError):
    """Another person works with this queue."""

    code = "queue_not_yours"
    text = "The queue {queue} is {owner}'s; ask {owner} or an admin to change it."


class NotAllowedError(ChatOpsError):
    """The person's role does not include this command."""

    code = "not_allowed"
    text = "{command} needs the role {needed} and yours is {role}; ask an admin for it."


class NotYoursError(ChatOpsError):
    """Another person's draft, run or place in a queue; the server itself would let anybody change it."""

    code = "not_yours"
    text = "“{name}” belongs to {owner}; clone it and change your own copy, or ask an admin."


# ── Finding things ────────────────────────────────────────────────────────────────────────────────


class ExperimentNotFoundError(ChatOpsError):
    """No experiment has this id, name or link."""

    code = "experiment_not_found"
    text = "No experiment is called “{reference}” or has an id that begins so; look for it with /find."


class AmbiguousExperimentError(ChatOpsError):
    """Several experiments fit; `candidates` are those to choose from."""

    code = "ambiguous_experiment"
    text = "“{reference}” fits {count} experiments; choose one, or give more of the id."

    def __init__(self, *, reference: str, count: object, candidates: tuple[Experiment, ...]) -> None:
        super().__init__(reference=reference, count=count)
        self.reference = reference
        self.candidates = candidates


class ProjectNotFoundError(ChatOpsError):
    """No project has this in its name."""

    code = "project_not_found"
    text = "No project has “{name}” in its name; write it, or a part of it, as the web UI does."


class NoCurrentExperimentError(ChatOpsError):
    """A command was given no experiment and the conversation has none yet."""

    code = "no_current_experiment"
    text = "Which experiment? Give an id or a name, or choose one first with /use or /clone."


class ParameterNotFoundError(ChatOpsError):
    """The experiment has no such parameter."""

    code = "parameter_not_found"
    text = "“{experiment}” has no parameter {name}.{nearest} {advice}"


class QueueNotFoundError(ChatOpsError):
    """No queue has this name."""

    code = "queue_not_found"
    text = "There is no queue “{name}”.{nearest} /queue list shows them all."


class NoPersonalQueueError(ChatOpsError):
    """The person has not bound a queue and named none."""

    code = "no_personal_queue"
    text = "You have no queue of your own yet; create one with /queue create, or name one with queue=…."


# ── What ClearML's rules forbid ───────────────────────────────────────────────────────────────────


class NotADraftError(ChatOpsError):
    """Only drafts can be edited (contract: 400/110)."""

    code = "not_a_draft"
    text = "“{name}” is {status} and only a Draft can be changed; {advice}"


class CannotEnqueueError(ChatOpsError):
    """Completed, running and published experiments cannot be enqueued (contract: 400/110)."""

    code = "cannot_enqueue"
    text = "“{name}” is {status} and cannot be put into a queue; {advice}"


class AlreadyPendingError(ChatOpsError):
    """The experiment waits already; enqueuing again would cost it its former status (contract: 400/706)."""

    code = "already_pending"
    text = "“{name}” is already Pending in {queue}; /dequeue takes it out, /queue move changes its place."


class NotPendingError(ChatOpsError):
    """Not in a queue. On a running one the server would say yes and lose the run."""

    code = "not_pending"
    text = "“{name}” is {status}, not Pending, so there is nothing to take out of a queue.{advice}"


class CannotAbortError(ChatOpsError):
    """Nothing of it runs or waits."""

    code = "cannot_abort"
    text = "“{name}” is {status}; only what is Pending or Running can be aborted."


class CannotResetError(ChatOpsError):
    """Published experiments cannot be reset; running ones would be lost."""

    code = "cannot_reset"
    text = "“{name}” is {status} and cannot be reset; {advice}"


class CannotArchiveError(ChatOpsError):
    """What runs or waits would go on unseen."""

    code = "cannot_archive"
    text = "“{name}” is {status} and cannot be archived yet; abort it first with /abort."


class CannotRetryError(ChatOpsError):
    """Only failed and aborted runs can be put back as they are."""

    code = "cannot_retry"
    text = "“{name}” is {status}; /retry is for Failed and Aborted runs. {advice}"


class NothingToUndoError(ChatOpsError):
    """The bot has made no edit of this draft that is not undone yet."""

    code = "nothing_to_undo"
    text = "There is no edit of “{name}” to undo."


class ChangedMeanwhileError(ChatOpsError):
    """Somebody else wrote the same thing after us; undoing would lose his work."""

    code = "changed_meanwhile"
    text = "{what} of “{name}” was changed again after that edit, so it is left as it is; set it by hand."


class QueueExistsError(ChatOpsError):
    """Queue names are unique (contract: 400/801)."""

    code = "queue_exists"
    text = "There is a queue “{name}” already; take it with /queue use, or choose another name."


class NotInQueueError(ChatOpsError):
    """The experiment does not wait in that queue (contract: 400/703)."""

    code = "not_in_queue"
    text = "“{name}” does not wait in a queue, so it has no place to move; /queue shows what waits."


class NotWatchedError(ChatOpsError):
    """The conversation is not told of this experiment."""

    code = "not_watched"
    text = "“{name}” is not watched here; /watching shows what is."


# ── Workers ───────────────────────────────────────────────────────────────────────────────────────


class AgentMissingError(ChatOpsError):
    """The program clearml-agent is not installed beside the bot."""

    code = "agent_missing"
    text = "clearml-agent is not installed on {host}; install it there with: pip install clearml-agent"


class AgentFailedError(ChatOpsError):
    """clearml-agent ended without starting or stopping a worker; `reason` is its own last line."""

    code = "agent_failed"
    text = "clearml-agent on {host} said: {reason} Nothing was started; /worker shows what runs."


class WorkerExistsError(ChatOpsError):
    """A worker with this id runs already."""

    code = "worker_exists"
    text = "The worker {worker} already runs; stop it first with /worker stop."


class NoWorkerError(ChatOpsError):
    """The bot runs no worker for this queue on this host."""

    code = "no_worker"
    text = "No worker that I started for {queue} runs on {host}; /worker shows what there is."


# ── ClearML's server ──────────────────────────────────────────────────────────────────────────────


class ClearMLError(ChatOpsError):
    """The server refused a request with a reason of its own that no other class stands for."""

    code = "clearml"
    text = "ClearML refused {endpoint}: {reason} (code {result_code}/{result_subcode}). Nothing was changed."


class ClearMLUnreachableError(ClearMLError):
    """No connection, or no answer in time."""

    code = "clearml_unreachable"
    text = (
        "ClearML at {host} does not answer ({reason}); check that CLEARML_API_HOST is right and that the "
        "server runs, and try again."
    )


class ClearMLAnswerLostError(ClearMLError):
    """A write was sent and its answer did not arrive: it may or may not have been done."""

    code = "clearml_answer_lost"
    text = (
        "ClearML at {host} did not answer {endpoint} ({reason}), so it may or may not have been done; "
        "look with /show before you repeat it."
    )


class ClearMLCredentialsError(ClearMLError):
    """401: the access key or the secret key is wrong or revoked."""

    code = "clearml_credentials"
    text = (
        "ClearML at {host} does not accept the credentials; check CLEARML_API_ACCESS_KEY and "
        "CLEARML_API_SECRET_KEY (or clearml.conf)."
    )


class ClearMLBrokenError(ClearMLError):
    """5xx: the server has a fault of its own."""

    code = "clearml_broken"
    text = "ClearML at {host} has a fault (HTTP {status} to {endpoint}); try again, and look at the server's log."


class ClearMLNonsenseError(ClearMLError):
    """The answer is no JSON, or not in ClearML's envelope: usually a proxy or the wrong port."""

    code = "clearml_nonsense"
    text = (
        "{host} answered {endpoint} with something that is not ClearML's; check that CLEARML_API_HOST is the "
        "API server (usually port 8008) and that no proxy stands between."
    )


# ── The program itself ────────────────────────────────────────────────────────────────────────────


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

"""Errors of experiments, queues and projects: not found, or forbidden by ClearML's rules."""

from clearml_chatops.models.errors.base import ChatOpsError
from clearml_chatops.models.experiments import Experiment


class ExperimentNotFoundError(ChatOpsError):
    """No experiment has this id, name or link."""

    code = "experiment_not_found"
    field_name = "experiment"
    text = "No experiment named “{reference}”, and no id starts with it. Search with /find."


class AmbiguousExperimentError(ChatOpsError):
    """Several experiments match; `candidates` are those to choose from, the newest first.

    `count` is how many match, at least if `has_more` is set.
    """

    code = "ambiguous_experiment"
    text = "{count} experiments match “{reference}”. Which one?{note}"

    def __init__(
        self, *, reference: str, count: int, candidates: tuple[Experiment, ...], has_more: bool = False
    ) -> None:
        shown = len(candidates)
        super().__init__(
            reference=reference,
            count=f"At least {count}" if has_more else count,
            note=f" These are the newest {shown}. See all with /find." if count > shown else "",
        )
        self.reference = reference
        self.candidates = candidates


class ProjectNotFoundError(ChatOpsError):
    """No project name contains this text."""

    code = "project_not_found"
    text = "No project has “{name}” in its name.{nearest} Type the name or a part of it, as in the web UI."


class NoCurrentExperimentError(ChatOpsError):
    """A command was given no experiment, and the conversation has no current one."""

    code = "no_current_experiment"
    text = "Which experiment? Give an id or a name, or choose one first with /use or /clone."


class MetricNotFoundError(ChatOpsError):
    """The experiment has reported no scalar with this in its name."""

    code = "metric_not_found"
    text = "“{experiment}” has reported no scalar “{name}”.{nearest} See all with /plot."


class QueueNotFoundError(ChatOpsError):
    """No queue has this name."""

    code = "queue_not_found"
    text = "No queue named “{name}”.{nearest} See all with /queue list."


class NoPersonalQueueError(ChatOpsError):
    """The person has no queue of their own and named none."""

    code = "no_personal_queue"
    text = "You don't have a queue of your own yet. Create one with /queue create, or name one with queue=…."


class NotADraftError(ChatOpsError):
    """Only drafts can be edited (contract: 400/110)."""

    code = "not_a_draft"
    text = "“{name}” is {status}, and only a Draft can be changed. {advice}"


class CannotEnqueueError(ChatOpsError):
    """Completed, running and published experiments cannot be enqueued (contract: 400/110)."""

    code = "cannot_enqueue"
    text = "“{name}” is {status} and can't be enqueued. {advice}"


class PreflightError(ChatOpsError):
    """The experiment cannot run properly in the queue it was enqueued to."""

    code = "preflight"
    text = "“{name}” has a problem. {reason} To enqueue it anyway, add --force."


class AlreadyPendingError(ChatOpsError):
    """Already in a queue; enqueuing it again would lose its former status (contract: 400/706)."""

    code = "already_pending"
    text = "“{name}” is already Pending in {queue}. Take it out with /dequeue, or move it with /queue move."


class NotPendingError(ChatOpsError):
    """Not in a queue. For a running experiment the server would accept a dequeue and lose the run."""

    code = "not_pending"
    text = "“{name}” is {status}, not Pending, so it's not in a queue.{advice}"


class StillPendingError(NotPendingError):
    """In no queue, but Pending: a worker is starting it, or the server didn't restore its status."""

    text = "“{name}” isn't in its queue any more. {advice}"


class CannotAbortError(ChatOpsError):
    """The experiment is neither pending nor running."""

    code = "cannot_abort"
    text = "“{name}” is {status}. Only Pending and Running experiments can be aborted."


class CannotResetError(ChatOpsError):
    """Published experiments cannot be reset; a running one would be lost."""

    code = "cannot_reset"
    text = "“{name}” is {status} and can't be reset. {advice}"


class CannotArchiveError(ChatOpsError):
    """A pending or running experiment would continue unseen."""

    code = "cannot_archive"
    text = "“{name}” is {status} and can't be archived yet. Abort it first with /abort."


class CannotRetryError(ChatOpsError):
    """Only failed and aborted runs can be enqueued again unchanged."""

    code = "cannot_retry"
    text = "“{name}” is {status}, and /retry is for Failed and Aborted runs. {advice}"


class NothingToUndoError(ChatOpsError):
    """The bot has made no edit of this draft that is not undone yet."""

    code = "nothing_to_undo"
    text = "There's no edit of “{name}” to undo."


class EditConflictError(ChatOpsError):
    """Somebody else changed the same thing afterwards; undoing would lose their work."""

    code = "edit_conflict"
    text = "{what} of “{name}” changed again after that edit, so nothing was undone. Set it by hand."


class QueueExistsError(ChatOpsError):
    """Queue names are unique (contract: 400/801)."""

    code = "queue_exists"
    text = "There's already a queue “{name}”. Use it with /queue use, or choose another name."


class NotInQueueError(ChatOpsError):
    """The experiment is not in that queue (contract: 400/703)."""

    code = "not_in_queue"
    text = "“{name}” isn't waiting in a queue, so it can't be moved. See what's waiting with /queue."


class NotWatchedError(ChatOpsError):
    """The conversation does not watch this experiment."""

    code = "not_watched"
    text = "Notifications for “{name}” aren't on here. See what's on with /watching."


class NotSubscribedError(ChatOpsError):
    """The conversation has no subscription to this queue or project."""

    code = "not_subscribed"
    text = "Notifications for the {kind} “{name}” aren't on here. See what's on with /watching."

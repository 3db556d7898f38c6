"""What cannot be found, and what ClearML's rules forbid."""

from clearml_chatops.models.errors.base import ChatOpsError
from clearml_chatops.models.experiments import Experiment


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
    text = "No project has “{name}” in its name.{nearest} Write it, or a part of it, as the web UI does."


class NoCurrentExperimentError(ChatOpsError):
    """A command was given no experiment and the conversation has none yet."""

    code = "no_current_experiment"
    text = "Which experiment? Give an id or a name, or choose one first with /use or /clone."


class ParameterNotFoundError(ChatOpsError):
    """The experiment has no such parameter."""

    code = "parameter_not_found"
    text = "“{experiment}” has no parameter {name}.{nearest} {advice}"


class MetricNotFoundError(ChatOpsError):
    """The experiment has reported no scalar with this in its name."""

    code = "metric_not_found"
    text = "“{experiment}” has reported no scalar “{name}”.{nearest} /plot without names draws what there is."


class QueueNotFoundError(ChatOpsError):
    """No queue has this name."""

    code = "queue_not_found"
    text = "There is no queue “{name}”.{nearest} /queue list shows them all."


class NoPersonalQueueError(ChatOpsError):
    """The person has not bound a queue and named none."""

    code = "no_personal_queue"
    text = "You have no queue of your own yet; create one with /queue create, or name one with queue=…."


class NotADraftError(ChatOpsError):
    """Only drafts can be edited (contract: 400/110)."""

    code = "not_a_draft"
    text = "“{name}” is {status} and only a Draft can be changed; {advice}"


class CannotEnqueueError(ChatOpsError):
    """Completed, running and published experiments cannot be enqueued (contract: 400/110)."""

    code = "cannot_enqueue"
    text = "“{name}” is {status} and cannot be put into a queue; {advice}"


class PreflightError(ChatOpsError):
    """It would not run as it should where it is to wait."""

    code = "preflight"
    text = "“{name}” would not run as it should: {reason} Say --force to enqueue it all the same."


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


class EditConflictError(ChatOpsError):
    """Somebody else wrote the same thing after us; undoing would lose his work."""

    code = "edit_conflict"
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


class NotSubscribedError(ChatOpsError):
    """The conversation is not told of everything in this queue or project."""

    code = "not_subscribed"
    text = "The {kind} “{name}” is not watched here; /watching shows what is."

"""Who may not, and why."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownUserError(ChatOpsError):
    """Somebody whom the bot does not know."""

    code = "unknown_user"
    text = "I do not know you yet. Ask {admins} to let you in and give this id: {identity}"


class QueueNotYoursError(ChatOpsError):
    """Another person works with this queue."""

    code = "queue_not_yours"
    text = "The queue {queue} is {owner}'s; ask {owner} or an admin to change it."


class NotAllowedError(ChatOpsError):
    """The person's role does not include this command."""

    code = "not_allowed"
    text = "{command} needs the role {needed} and yours is {role}; ask an admin for it."


class ExperimentNotYoursError(ChatOpsError):
    """Another person's draft, run or place in a queue; the server itself would let anybody change it."""

    code = "experiment_not_yours"
    text = "“{name}” belongs to {owner}; clone it and change your own copy, or ask an admin."

"""Errors of access: unknown users, roles and ownership."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownUserError(ChatOpsError):
    """The sender is not linked to a person."""

    code = "unknown_user"
    text = "You don't have access yet. Ask {admins} to add you, with this id: {identity}"


class QueueNotYoursError(ChatOpsError):
    """The queue belongs to another person."""

    code = "queue_not_yours"
    text = "The queue {queue} belongs to {owner}. Ask {owner} or an admin to change it."


class NotAllowedError(ChatOpsError):
    """The person's role does not include this command."""

    code = "not_allowed"
    text = "{command} needs the role {needed}, and yours is {role}. Ask an admin to change it."


class ExperimentNotYoursError(ChatOpsError):
    """Another person's draft, run or queue position; the server itself would let anybody change it."""

    code = "experiment_not_yours"
    text = "“{name}” belongs to {owner}. Clone it and change your own copy, or ask an admin."

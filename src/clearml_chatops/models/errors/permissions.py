"""Who may not, and why."""

from clearml_chatops.models.errors.base import ChatOpsError


class StrangerError(ChatOpsError):
    """Somebody whom the bot does not know."""

    code = "stranger"
    text = "I do not know you yet. Ask {admins} to let you in and give this id: {identity}"


class WrongLinkCodeError(ChatOpsError):
    """A code that nobody made, that was used already, or that has expired."""

    code = "wrong_link_code"
    text = "That code is wrong, used or older than {minutes} minutes; say /link where I know you to get a new one."


class TooManyLinkCodesError(ChatOpsError):
    """Somebody guesses."""

    code = "too_many_link_codes"
    text = "Those were too many wrong codes; wait {minutes} minutes, then get a new one by /link where I know you."


class KnownAsAnotherError(ChatOpsError):
    """The identity that is to be linked belongs to another person."""

    code = "known_as_another"
    text = "I know you here as {name} already; say /unlink first if you are to be somebody else here."


class LastIdentityError(ChatOpsError):
    """Without it the bot would know the person nowhere."""

    code = "last_identity"
    text = "I know you nowhere else, so this stays; say /link to be known on another platform too."


class PublicPlaceError(ChatOpsError):
    """What is secret is not said where others read it."""

    code = "public_place"
    text = "Others can read here; send {command} to me in a direct message."


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

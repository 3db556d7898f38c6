"""What can go wrong when a person becomes known on another platform."""

from clearml_chatops.models.errors.base import ChatOpsError


class WrongLinkCodeError(ChatOpsError):
    """A code that nobody made, that was used already, or that has expired."""

    code = "wrong_link_code"
    text = "That code is wrong, used or older than {minutes} minutes; say /link where I know you to get a new one."


class TooManyLinkCodesError(ChatOpsError):
    """Somebody guesses."""

    code = "too_many_link_codes"
    text = "Those were too many wrong codes; wait {minutes} minutes, then get a new one by /link where I know you."


class IdentityTakenError(ChatOpsError):
    """The identity that is to be linked belongs to another person."""

    code = "identity_taken"
    text = "I know you here as {name} already; say /unlink first if you are to be somebody else here."


class LastIdentityError(ChatOpsError):
    """Without it the bot would know the person nowhere."""

    code = "last_identity"
    text = "I know you nowhere else, so this stays; say /link to be known on another platform too."


class DirectMessageRequiredError(ChatOpsError):
    """What is secret is not said where others read it."""

    code = "direct_message_required"
    text = "Others can read here; send {command} to me in a direct message."

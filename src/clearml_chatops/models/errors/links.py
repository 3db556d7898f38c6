"""Errors of linking a person's account on another platform."""

from clearml_chatops.models.errors.base import ChatOpsError


class WrongLinkCodeError(ChatOpsError):
    """A code that never existed, was used already, or has expired."""

    code = "wrong_link_code"
    text = (
        "That code doesn't work or has expired. Get a new one with /link on the platform where you're already "
        "linked."
    )


class TooManyLinkCodesError(ChatOpsError):
    """Too many wrong codes in a row: somebody is guessing."""

    code = "too_many_link_codes"
    text = (
        "That's too many wrong codes. Wait {minutes} minutes, then get a new one with /link on the platform "
        "where you're already linked."
    )


class IdentityTakenError(ChatOpsError):
    """The identity to be linked belongs to another person."""

    code = "identity_taken"
    text = "This account is already linked to {name}. To link it to another person, send /unlink first."


class LastIdentityError(ChatOpsError):
    """Unlinking it would leave the person without any identity."""

    code = "last_identity"
    text = "This is your only linked account, so it stays linked. Link another one first with /link."


class DirectMessageRequiredError(ChatOpsError):
    """The reply is secret and others can read the conversation."""

    code = "direct_message_required"
    text = "Others can read this chat. Send {command} to the bot in a direct message."

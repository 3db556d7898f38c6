"""Classification of Telegram's errors."""

from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError

_DESTINATION_GONE = (
    "chat not found",
    "group chat was deactivated",
    "message thread not found",
    "not enough rights to send",
    "peer_id_invalid",
    "topic_deleted",
    "user is deactivated",
)
_NOT_MODIFIED = "message is not modified"
_NOT_EDITABLE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_NO_TEXT = "there is no text in the message to edit"
_TOO_LONG = ("caption is too long", "media_caption_too_long")
_PHOTO_REFUSED = (
    "photo_invalid_dimensions",
    "image_process_failed",
    "photo_save_file_invalid",
    "too big for a photo",
)


def to_delivery_error(error: TelegramError) -> DestinationGoneError | DeliveryFailedError:
    """Convert the library's error to a front end error, with Telegram's own description."""
    gone = isinstance(error, Forbidden) or (
        isinstance(error, BadRequest) and _mentions_any(error, *_DESTINATION_GONE)
    )
    return DestinationGoneError(error.message) if gone else DeliveryFailedError(error.message)


def is_not_modified(error: BadRequest) -> bool:
    """Return whether an edit was refused because the message already shows this."""
    return _mentions_any(error, _NOT_MODIFIED)


def is_not_editable(error: BadRequest) -> bool:
    """Return whether an edit was refused because the message is deleted or too old."""
    return _mentions_any(error, *_NOT_EDITABLE)


def has_no_text(error: BadRequest) -> bool:
    """Return whether an edit was refused because the message is a picture or a file with a caption."""
    return _mentions_any(error, _NO_TEXT)


def is_too_long(error: BadRequest) -> bool:
    """Return whether a text was refused because it is too long for a caption."""
    return _mentions_any(error, *_TOO_LONG)


def is_photo_refused(error: BadRequest) -> bool:
    """Return whether a picture was refused as a photo. Telegram accepts it as a file."""
    return _mentions_any(error, *_PHOTO_REFUSED)


def is_transient(error: TelegramError) -> bool:
    """Return whether the same request may be retried at once: a lost connection or a server error.

    In the library, refusals and timeouts are subclasses of `NetworkError`. After a timeout the request was
    usually carried out, so a retry would repeat it.
    """
    return type(error) is NetworkError


def _mentions_any(error: TelegramError, *phrases: str) -> bool:
    return any(part in error.message.lower() for part in phrases)

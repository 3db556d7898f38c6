"""Why something could not be sent, in the two kinds that matter to whoever sends it."""

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
    """The library's error as one of ours, with Telegram's own words."""
    gone = isinstance(error, Forbidden) or (
        isinstance(error, BadRequest) and _mentions_any(error, *_DESTINATION_GONE)
    )
    return DestinationGoneError(error.message) if gone else DeliveryFailedError(error.message)


def is_not_modified(error: BadRequest) -> bool:
    """Whether an edit was refused because the message shows it already."""
    return _mentions_any(error, _NOT_MODIFIED)


def is_not_editable(error: BadRequest) -> bool:
    """Whether an edit was refused because the message is not there, or too old."""
    return _mentions_any(error, *_NOT_EDITABLE)


def has_no_text(error: BadRequest) -> bool:
    """Whether an edit was refused because the message is a picture or a file, whose text is its caption."""
    return _mentions_any(error, _NO_TEXT)


def is_too_long(error: BadRequest) -> bool:
    """Whether a text was refused because a caption takes less."""
    return _mentions_any(error, *_TOO_LONG)


def is_photo_refused(error: BadRequest) -> bool:
    """Whether a picture was refused because Telegram cannot show it in the chat; as a file it takes it."""
    return _mentions_any(error, *_PHOTO_REFUSED)


def is_transient(error: TelegramError) -> bool:
    """Whether the same request may be sent again at once: the connection was lost or the server has a fault.

    Refusals and time-outs are subclasses of this class in the library. After a time-out the request has
    usually been carried out, and sending it again would double it.
    """
    return type(error) is NetworkError


def _mentions_any(error: TelegramError, *phrases: str) -> bool:
    return any(part in error.message.lower() for part in phrases)

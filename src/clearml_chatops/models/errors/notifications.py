"""What goes wrong around when people are told."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownTimeZoneError(ChatOpsError):
    """A time zone that does not exist, or a city of which there are several."""

    code = "unknown_time_zone"
    text = (
        "I know no time zone “{name}”.{nearest} Write it like tz=Europe/Berlin; the city alone is enough where it "
        "is the only one of its name."
    )

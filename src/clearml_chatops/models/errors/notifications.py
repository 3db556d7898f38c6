"""Errors of notification settings."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownTimeZoneError(ChatOpsError):
    """A time zone that does not exist, or a city name that several time zones share."""

    code = "unknown_time_zone"
    text = (
        "No time zone named “{name}”.{nearest} Write it like tz=Europe/Berlin; the city alone is enough if its "
        "name is unique."
    )

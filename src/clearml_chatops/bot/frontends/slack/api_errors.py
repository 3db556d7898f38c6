"""Errors of Slack's API, translated to the delivery errors that all front ends share."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError

_DESTINATION_GONE_CODES = frozenset({"channel_not_found", "is_archived", "not_in_channel", "account_inactive"})


def get_error_code(error: SlackApiError) -> str:
    """Return Slack's error code, such as `invalid_auth`, or an empty string if there is none."""
    response = error.response
    if isinstance(response, AsyncSlackResponse) and isinstance(response.data, dict):
        return str(response.data.get("error", ""))
    return ""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the library's errors.

    Raises:
        DestinationGoneError: the bot can no longer write there.
        DeliveryFailedError: any other failure; retrying later may work.
    """
    try:
        yield
    except SlackApiError as error:
        code = get_error_code(error)
        if code in _DESTINATION_GONE_CODES:
            raise DestinationGoneError(code) from error
        raise DeliveryFailedError(code or "the response isn't from Slack") from error
    except (SlackClientError, ClientError, OSError) as error:
        # A timeout is an OSError too.
        raise DeliveryFailedError(type(error).__name__) from error

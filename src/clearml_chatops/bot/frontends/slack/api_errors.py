"""Why something did not get to Slack: it never will, or not now."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError

_DESTINATION_GONE_CODES = frozenset({"channel_not_found", "is_archived", "not_in_channel", "account_inactive"})


def get_error_code(error: SlackApiError) -> str:
    """Slack's own word for what went wrong, such as `invalid_auth`; empty where it gave none."""
    response = error.response
    if isinstance(response, AsyncSlackResponse) and isinstance(response.data, dict):
        return str(response.data.get("error", ""))
    return ""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns the library's errors into the two above.

    Raises:
        DestinationGoneError: nothing can be written there.
        DeliveryFailedError: anything else that kept it from being written.
    """
    try:
        yield
    except SlackApiError as error:
        code = get_error_code(error)
        if code in _DESTINATION_GONE_CODES:
            raise DestinationGoneError(code) from error
        raise DeliveryFailedError(code or "an answer that is not Slack's") from error
    except (SlackClientError, ClientError, OSError) as error:
        # A timeout is an OSError too.
        raise DeliveryFailedError(type(error).__name__) from error

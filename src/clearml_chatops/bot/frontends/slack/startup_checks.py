"""Checks of tokens and scopes before the front end starts: the library would retry a wrong token forever."""

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.api_errors import get_error_code, translate_errors
from clearml_chatops.models.errors import SettingsError

REQUIRED_SCOPES = (
    "commands",
    "chat:write",
    "app_mentions:read",
    "im:history",
    "im:write",
    "files:write",
    "users:read",
)
_TEMPORARY_ERROR_CODES = frozenset(
    {
        "",
        "ratelimited",
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
    }
)
"""Error codes about Slack's state, not the bot's settings. The empty one is a response that isn't from Slack."""


class SlackUnreachableError(Exception):
    """Slack can't be reached now; retrying later may work."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot's ids in its workspace."""

    user_id: str
    bot_id: str
    team_id: str


async def check_bot_token(client: AsyncWebClient) -> BotIdentity:
    """Return the bot's identity.

    Raises:
        SettingsError: Slack doesn't accept the token, or a scope is missing.
        SlackUnreachableError: Slack gave no answer.
    """
    try:
        with translate_errors():
            response = await client.auth_test()
    except (DeliveryFailedError, DestinationGoneError) as error:
        raise _to_startup_error(
            error, "SLACK_BOT_TOKEN", "Copy the app's “Bot User OAuth Token” (xoxb-…)"
        ) from error
    granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
    if missing := [scope for scope in REQUIRED_SCOPES if scope not in granted]:
        reason = (
            f"the app lacks the scopes {', '.join(missing)}. Add them under OAuth & Permissions, or use the "
            "manifest from `clearml-chatops slack-manifest`, then reinstall the app."
        )
        raise SettingsError(name="SLACK_BOT_TOKEN", reason=reason)
    return BotIdentity(str(response["user_id"]), str(response.get("bot_id", "")), str(response["team_id"]))


async def check_app_token(client: AsyncWebClient, app_token: str) -> str:
    """Return a single-use URL for a Socket Mode connection.

    Raises:
        SettingsError: Slack doesn't accept the token, or Socket Mode is off.
        SlackUnreachableError: Slack gave no answer.
    """
    try:
        with translate_errors():
            response = await client.apps_connections_open(app_token=app_token)
    except (DeliveryFailedError, DestinationGoneError) as error:
        advice = "Create an app-level token (xapp-…) with the scope connections:write, and turn on Socket Mode"
        raise _to_startup_error(error, "SLACK_APP_TOKEN", advice) from error
    return str(response["url"])


def _to_startup_error(
    error: DeliveryFailedError | DestinationGoneError, setting_name: str, advice: str
) -> Exception:
    """Return a SettingsError if someone has to fix a setting, otherwise a SlackUnreachableError."""
    cause = error.__cause__
    if isinstance(cause, SlackApiError) and (code := get_error_code(cause)) not in _TEMPORARY_ERROR_CODES:
        return SettingsError(name=setting_name, reason=f"Slack doesn't accept it ({code}). {advice}.")
    return SlackUnreachableError(str(error))

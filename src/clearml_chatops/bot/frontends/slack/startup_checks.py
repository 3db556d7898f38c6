"""What is looked at before anything starts, because the library would retry a wrong token for ever."""

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
"""Words that say something of Slack's state, not of ours; none at all is an answer that is not Slack's."""


class SlackUnreachableError(Exception):
    """Slack cannot be asked now; trying again later makes sense."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who the bot is in its workspace."""

    user_id: str
    bot_id: str
    team_id: str


async def check_bot_token(client: AsyncWebClient) -> BotIdentity:
    """Asks Slack who we are.

    Raises:
        SettingsError: the token is not accepted, or a scope is missing.
        SlackUnreachableError: Slack gave no answer.
    """
    try:
        with translate_errors():
            response = await client.auth_test()
    except (DeliveryFailedError, DestinationGoneError) as error:
        raise _to_startup_error(
            error, "SLACK_BOT_TOKEN", "copy the “Bot User OAuth Token” (xoxb-…) of the app"
        ) from error
    granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
    if missing := [scope for scope in REQUIRED_SCOPES if scope not in granted]:
        reason = (
            f"the app lacks the scopes {', '.join(missing)}; add them under OAuth & Permissions, or take the "
            "manifest of `clearml-chatops slack-manifest`, and install the app again."
        )
        raise SettingsError(name="SLACK_BOT_TOKEN", reason=reason)
    return BotIdentity(str(response["user_id"]), str(response.get("bot_id", "")), str(response["team_id"]))


async def check_app_token(client: AsyncWebClient, app_token: str) -> str:
    """Asks Slack for a connection; gives its single-use address.

    Raises:
        SettingsError: the token is not accepted, or Socket Mode is off.
        SlackUnreachableError: Slack gave no answer.
    """
    try:
        with translate_errors():
            response = await client.apps_connections_open(app_token=app_token)
    except (DeliveryFailedError, DestinationGoneError) as error:
        advice = "make an app-level token (xapp-…) with the scope connections:write, and switch Socket Mode on"
        raise _to_startup_error(error, "SLACK_APP_TOKEN", advice) from error
    return str(response["url"])


def _to_startup_error(
    error: DeliveryFailedError | DestinationGoneError, setting_name: str, advice: str
) -> Exception:
    """Whether a person has to change something, or Slack to come back."""
    cause = error.__cause__
    if isinstance(cause, SlackApiError) and (code := get_error_code(cause)) not in _TEMPORARY_ERROR_CODES:
        return SettingsError(name=setting_name, reason=f"Slack does not accept it ({code}); {advice}.")
    return SlackUnreachableError(str(error))

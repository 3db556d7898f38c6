"""The credentials of the Slack app."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SlackCredentials:
    """The tokens of a Slack app: with an app token it uses Socket Mode, otherwise HTTP with the signing secret.

    `api_url` replaces the URL of Slack's Web API.
    """

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    api_url: str = ""

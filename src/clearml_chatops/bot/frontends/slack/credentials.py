"""How the bot gets to Slack."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SlackCredentials:
    """The tokens of an app. With an app token it works by Socket Mode, else by HTTP with the signing secret.

    `api_url` leads all traffic to another address than Slack's.
    """

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    api_url: str = ""

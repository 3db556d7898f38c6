"""The Slack front end: turns slash commands, mentions and buttons into messages, and replies into blocks."""

from clearml_chatops.bot.frontends.slack.credentials import SlackCredentials
from clearml_chatops.bot.frontends.slack.front_end import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.http_receiver import build_request_url
from clearml_chatops.bot.frontends.slack.manifest import build_manifest
from clearml_chatops.bot.frontends.slack.timing import Timing

__all__ = ["SlackCredentials", "SlackFrontEnd", "Timing", "build_manifest", "build_request_url"]

"""The Slack front end: slash commands, mentions, direct messages and buttons become messages, replies blocks."""

from clearml_chatops.bot.frontends.slack.access import SlackAccess
from clearml_chatops.bot.frontends.slack.front_end import SlackFrontEnd
from clearml_chatops.bot.frontends.slack.manifest import manifest
from clearml_chatops.bot.frontends.slack.signed_requests import request_url
from clearml_chatops.bot.frontends.slack.timing import Timing

__all__ = ["SlackAccess", "SlackFrontEnd", "Timing", "manifest", "request_url"]

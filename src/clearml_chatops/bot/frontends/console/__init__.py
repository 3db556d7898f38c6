"""The terminal front end: typed lines become messages, replies become text."""

from clearml_chatops.bot.frontends.console.front_end import ConsoleFrontEnd
from clearml_chatops.bot.frontends.console.name_cache import Suggestions
from clearml_chatops.bot.frontends.console.screen import create_terminal_console
from clearml_chatops.bot.frontends.console.screenshots import create_recording_console
from clearml_chatops.bot.frontends.console.scripts import read_lines

__all__ = ["ConsoleFrontEnd", "Suggestions", "create_recording_console", "create_terminal_console", "read_lines"]

"""The terminal front end: what a person types becomes a message, what comes back becomes text."""

from clearml_chatops.bot.frontends.console.front_end import ConsoleFrontEnd
from clearml_chatops.bot.frontends.console.names import Suggestions
from clearml_chatops.bot.frontends.console.picture import recording_console
from clearml_chatops.bot.frontends.console.screen import terminal_console
from clearml_chatops.bot.frontends.console.scripts import lines_of

__all__ = ["ConsoleFrontEnd", "Suggestions", "lines_of", "recording_console", "terminal_console"]

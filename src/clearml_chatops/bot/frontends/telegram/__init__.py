"""The Telegram front end: messages and button presses become commands, replies become messages with buttons."""

from clearml_chatops.bot.frontends.front_end import Actions, Cards, DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.telegram.front_end import TelegramFrontEnd

__all__ = ["Actions", "Cards", "DeliveryFailedError", "DestinationGoneError", "TelegramFrontEnd"]

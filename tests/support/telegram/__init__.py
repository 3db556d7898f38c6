"""A fake of Telegram's Bot API on a loopback port, and the people who use the bot."""

from tests.support.telegram.chats import Chat, ShownButton, ShownMessage
from tests.support.telegram.faults import Fault
from tests.support.telegram.people import Person
from tests.support.telegram.server import TelegramServer

__all__ = ["Chat", "Fault", "Person", "ShownButton", "ShownMessage", "TelegramServer"]

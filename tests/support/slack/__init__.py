"""A fake Slack workspace in one process: the Web API, Socket Mode and HTTP mode as the real libraries use them."""

from tests.support.slack.modals import Modal
from tests.support.slack.people import Person
from tests.support.slack.server import SlackServer
from tests.support.slack.socket_mode import Envelope
from tests.support.slack.workspace import Message

__all__ = ["Envelope", "Message", "Modal", "Person", "SlackServer"]

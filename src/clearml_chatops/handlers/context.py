"""What a handler gets: the message, the person who sent it, and the services that act for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.services.command_services import CommandServices


@dataclass(frozen=True, slots=True)
class Context:
    message: IncomingMessage
    person: Person
    services: CommandServices
    registry: Registry
    clock: Callable[[], datetime]

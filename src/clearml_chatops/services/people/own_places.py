"""Where each person is alone with the bot.

There he is told what he has not asked for anywhere, and his hours of quiet count.
"""

from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Person
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.own_places import OwnPlaceStore, private_place
from clearml_chatops.storage.places import PlaceStore
from clearml_chatops.storage.quiet import QuietStore


class OwnPlaces:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[int, Conversation] = {}
        """As this process noted them: a person who stays where he is costs nothing."""

    async def note(self, person: Person, message: IncomingMessage) -> None:
        """Notes where a person is, if nobody else is there. A terminal is left by closing it, and not noted.

        What was to go to him by his own id, before it was known which conversation that is, now goes there.
        """
        place = Conversation(message.conversation.platform, message.conversation.id)
        if not message.is_private or place.platform == TERMINAL or self._noted.get(person.id) == place:
            return
        by_id = private_place(message.sender)
        async with self._database.writing() as session:
            await OwnPlaceStore(session).note(person.id, place)
            await QuietStore(session).note_private(place, person.id)
            if by_id != place:
                await PlaceStore(session).move(by_id, place, now=self._clock())
        self._noted[person.id] = place

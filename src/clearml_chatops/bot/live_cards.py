"""Keeps the cards of a platform up to date: edits those whose experiments have moved on."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError, FrontEnd
from clearml_chatops.handlers.cards import deleted_card, experiment_card, superseded_card
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.cards import LOOKING_AHEAD, CardService, CardToEdit

logger = logging.getLogger(__name__)

_PAUSE = timedelta(seconds=1)


class LiveCards:
    """Edits coalesce: however much happens to an experiment within the platform's pause, it is one edit."""

    def __init__(self, *, cards: CardService, front_end: FrontEnd, clock: Callable[[], datetime]) -> None:
        self._cards = cards
        self._front_end = front_end
        self._clock = clock

    def pause(self) -> timedelta:
        """How long to wait before the next look: longer while no card is to be edited soon."""
        return _PAUSE if self._cards.expects_edits(self._front_end.platform) else LOOKING_AHEAD

    async def edit_due(self) -> int:
        """Edits what is due and gives how many cards it was."""
        items = await self._cards.to_edit(self._front_end.platform, self._front_end.edit_pace)
        for item in items:
            await self._edit(item)
        return len(items)

    async def _edit(self, item: CardToEdit) -> None:
        card = item.card
        try:
            await self._front_end.edit(card.conversation, card.message_id, self._shown(item))
        except (DeliveryFailedError, OSError):
            await self._cards.not_edited(item)
        except DestinationGoneError as error:
            logger.warning("A card can be edited no more: %s", error, extra={"action": "card_gone"})
            await self._cards.give_up(item)
        else:
            await self._cards.edited(item)

    def _shown(self, item: CardToEdit) -> Reply:
        if item.experiment is None:
            return deleted_card(item.card.experiment_id)
        if item.card.is_superseded:
            return superseded_card(item.experiment)
        return experiment_card(item.experiment, now=self._clock(), web_link=item.web_link, place=item.place)

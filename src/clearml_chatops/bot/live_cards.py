"""Keeps the cards of a platform up to date: edits those whose experiments have moved on."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError, FrontEnd
from clearml_chatops.handlers.cards import build_deleted_card, build_experiment_card, build_superseded_card
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.cards import DUE_LOOKAHEAD, CardService, CardToEdit

logger = logging.getLogger(__name__)

_EDIT_INTERVAL = timedelta(seconds=1)


class LiveCards:
    """Edits coalesce: however much happens to an experiment within the platform's pause, it is one edit."""

    def __init__(self, *, cards: CardService, front_end: FrontEnd, clock: Callable[[], datetime]) -> None:
        self._cards = cards
        self._front_end = front_end
        self._clock = clock

    def get_interval(self) -> timedelta:
        """How long to wait before the next look: longer while no card is to be edited soon."""
        return _EDIT_INTERVAL if self._cards.has_due_cards(self._front_end.platform) else DUE_LOOKAHEAD

    async def edit_due_cards(self) -> int:
        """Edits what is due and gives how many cards it was."""
        items = await self._cards.list_due_edits(self._front_end.platform, self._front_end.get_edit_intervals)
        for item in items:
            await self._edit(item)
        return len(items)

    async def _edit(self, item: CardToEdit) -> None:
        card = item.card
        try:
            await self._front_end.edit(card.conversation, card.message_id, self._build_card(item))
        except (DeliveryFailedError, OSError):
            await self._cards.mark_edit_failed(item)
        except DestinationGoneError as error:
            logger.warning("A card can be edited no more: %s", error, extra={"action": "card_gone"})
            await self._cards.retire(item)
        else:
            await self._cards.mark_edited(item)

    def _build_card(self, item: CardToEdit) -> Reply:
        if item.experiment is None:
            return build_deleted_card(item.card.experiment_id)
        if item.card.is_superseded:
            return build_superseded_card(item.experiment)
        return build_experiment_card(
            item.experiment, now=self._clock(), web_link=item.web_link, place=item.queue_position
        )

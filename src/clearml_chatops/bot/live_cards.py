"""The loop that keeps the cards of a platform up to date."""

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
    """Edits the cards of changed experiments. All changes within the platform's edit interval are one edit."""

    def __init__(self, *, cards: CardService, front_end: FrontEnd, clock: Callable[[], datetime]) -> None:
        self._cards = cards
        self._front_end = front_end
        self._clock = clock

    def get_interval(self) -> timedelta:
        """Return how long to wait before the next check: longer while no card is due soon."""
        return _EDIT_INTERVAL if self._cards.has_due_cards(self._front_end.platform) else DUE_LOOKAHEAD

    async def edit_due_cards(self) -> int:
        """Edit all due cards and return their number."""
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
            logger.warning("A card can no longer be edited: %s", error, extra={"action": "card_gone"})
            await self._cards.retire(item)
        else:
            await self._cards.mark_edited(item)

    def _build_card(self, item: CardToEdit) -> Reply:
        if item.experiment is None:
            return build_deleted_card(item.card.experiment_id)
        if item.card.is_superseded:
            return build_superseded_card(item.experiment)
        return build_experiment_card(
            item.experiment, now=self._clock(), web_link=item.web_link, position=item.queue_position
        )

"""Records which experiment each of the bot's messages is about, and keeps cards up to date."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.cards import DueCard, EditIntervals
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.queues import QueuePosition
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.wait_estimator import WaitEstimator
from clearml_chatops.services.notifications.edit_pace import EditPace
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

DUE_LOOKAHEAD = timedelta(seconds=4)
"""How far ahead a query for due cards reaches; if it finds none, the next query can wait that long."""

PROGRESS_INTERVAL = timedelta(seconds=30)
"""How often the card of a run is edited while only its iterations and run time change."""


@dataclass(frozen=True, slots=True)
class CardToEdit:
    """A card and the current state of its experiment, None if the experiment was deleted in ClearML."""

    card: DueCard
    experiment: Experiment | None
    web_link: str = ""
    queue_position: QueuePosition | None = None


class CardService:
    """Cards and other messages about experiments, in all conversations."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        wait_estimator: WaitEstimator,
        clock: Callable[[], datetime],
        edit_pace: EditPace | None = None,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._wait_estimator = wait_estimator
        self._clock = clock
        self._edit_pace = edit_pace or EditPace()
        self._has_due_cards: dict[str, bool] = {}

    async def record_message(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        """Record which experiment a message is about. A new card supersedes the experiment's older card there."""
        async with self._database.writing() as session:
            store = CardStore(session)
            await store.put(conversation, message_id, experiment_id, is_card=is_card)
            if is_card:
                await store.supersede(conversation, message_id, experiment_id, now=self._clock())

    async def find_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        """Return the id of the experiment that a message is about, or an empty string."""
        async with self._database.reading() as session:
            return await CardStore(session).get_experiment_id(conversation, message_id)

    async def mark_due(self, experiment_ids: Sequence[str]) -> None:
        """Schedule an edit of these experiments' cards."""
        async with self._database.writing() as session:
            await CardStore(session).mark_due(experiment_ids, now=self._clock())

    async def list_due_edits(
        self, platform: str, edit_intervals: Callable[[Conversation], EditIntervals]
    ) -> list[CardToEdit]:
        """Return the cards to edit now, each with its experiment.

        This takes one ClearML request for all experiments and, if some are Pending, one for the queues;
        once a minute the wait estimate needs a few more. `edit_intervals` gives the minimum time between
        edits; changes in between are combined into one edit.

        Raises:
            ClearMLError: ClearML does not answer.
        """
        now = self._clock()
        async with self._database.reading() as session:
            due_soon = await CardStore(session).list_due(platform, now=now + DUE_LOOKAHEAD)
            due = [card for card in due_soon if card.due <= now]
            busy_conversations = (
                await OutboxStore(session).list_due_conversation_ids(platform, now=now) if due else []
            )
        self._has_due_cards[platform] = bool(due_soon)
        due = [
            card
            for card in due
            if self._claim_edit(card, edit_intervals(card.conversation), busy_conversations, now)
        ]
        if not due:
            return []
        experiments = await self._clearml.get_experiments(sorted({card.experiment_id for card in due}))
        web_host = await self._clearml.get_web_host()
        queue_positions = await self._find_queue_positions(experiments.values())
        return [
            CardToEdit(card, found, build_web_link(web_host, found), queue_positions.get(found.id))
            if found
            else CardToEdit(card, None)
            for card in due
            for found in (experiments.get(card.experiment_id),)
        ]

    def has_due_cards(self, platform: str) -> bool:
        """Return whether the last query found a card that is due now or soon."""
        return self._has_due_cards.get(platform, True)

    def _claim_edit(
        self, card: DueCard, edit_intervals: EditIntervals, busy_conversations: Sequence[str], now: datetime
    ) -> bool:
        """Return whether a card may be edited now; if so, use up its conversation's interval.

        `busy_conversations` are those with queued messages, which go before edits.
        """
        if card.edited is not None and card.edited + edit_intervals.card > now:
            return False
        if edit_intervals.conversation and card.conversation.id in busy_conversations:
            return False
        return self._edit_pace.claim(card.conversation, edit_intervals.conversation, now)

    async def find_queue_position(self, experiment: Experiment) -> QueuePosition | None:
        """Return the queue position and estimated wait of an experiment, None if it is not Pending."""
        return (await self._find_queue_positions([experiment])).get(experiment.id)

    async def _find_queue_positions(self, experiments: Iterable[Experiment]) -> dict[str, QueuePosition]:
        """Return the queue positions of the Pending experiments, by experiment id."""
        waiting = [item for item in experiments if item.status is Status.PENDING and item.queue_id]
        if not waiting:
            return {}
        queues = {queue.id: queue for queue in await self._clearml.list_queues()}
        relevant_queues = [queue for id_, queue in queues.items() if id_ in {item.queue_id for item in waiting}]
        estimates = await self._wait_estimator.estimate(relevant_queues)
        found = [
            (item.id, queue.find_position(item.id, estimates.get(item.id)))
            for queue in relevant_queues
            for item in waiting
        ]
        return {experiment_id: position for experiment_id, position in found if position}

    async def mark_edited(self, item: CardToEdit) -> None:
        """Record an edit. The card of a Pending or Running experiment is due again after `PROGRESS_INTERVAL`."""
        async with self._database.writing() as session:
            store = CardStore(session)
            if item.experiment is None or item.card.is_superseded:
                await store.retire(item.card)
                return
            now = self._clock()
            is_active = item.experiment.status in {Status.PENDING, Status.RUNNING}
            await store.mark_edited(
                item.card,
                at=now,
                shown_status_changed=item.experiment.status_changed,
                due=now + PROGRESS_INTERVAL if is_active else None,
            )

    async def mark_edit_failed(self, item: CardToEdit) -> None:
        """Record a failed edit; it is retried after the usual interval."""
        async with self._database.writing() as session:
            await CardStore(session).mark_edited(
                item.card, at=self._clock(), shown_status_changed=None, due=item.card.due
            )

    async def retire(self, item: CardToEdit) -> None:
        """Stop editing a card, for example because the platform refuses it."""
        async with self._database.writing() as session:
            await CardStore(session).retire(item.card)


def build_web_link(host: str, experiment: Experiment) -> str:
    """Return an experiment's address in the web UI, or an empty string if the web UI's address is unknown."""
    project = experiment.project_id or "*"
    return f"{host}/projects/{project}/experiments/{experiment.id}/output/execution" if host else ""

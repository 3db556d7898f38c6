"""The bot's messages about experiments: a reply to one means its experiment, and cards are kept up to date."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.cards import DueCard, EditPace
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.queues import PlaceInQueue
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.waits import WaitEstimates
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

LOOKING_AHEAD = timedelta(seconds=4)
"""How far a look for due cards looks ahead; while nothing is due so soon it need not be repeated earlier."""

PROGRESS_INTERVAL = timedelta(seconds=30)
"""How often the card of a run is edited while nothing but its iterations and its time move on."""


@dataclass(frozen=True, slots=True)
class CardToEdit:
    """A card and the experiment as it is now; None of one that ClearML no longer has."""

    card: DueCard
    experiment: Experiment | None
    web_link: str = ""
    place: PlaceInQueue | None = None


class CardService:
    def __init__(
        self, *, clearml: ClearML, database: Database, waits: WaitEstimates, clock: Callable[[], datetime]
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._waits = waits
        self._clock = clock
        self._edited: dict[tuple[str, str], datetime] = {}
        """When a card of a conversation was edited last, by platform and id."""
        self._expects: dict[str, bool] = {}

    async def remember(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool
    ) -> None:
        """Notes what a message is about. One that is a card takes the place of the experiment's card there."""
        async with self._database.writing() as session:
            store = CardStore(session)
            await store.put(conversation, message_id, experiment_id, is_card=is_card)
            if is_card:
                await store.supersede(conversation, message_id, experiment_id, now=self._clock())

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        """The experiment's id; empty where the message is about none."""
        async with self._database.reading() as session:
            return await CardStore(session).experiment_of(conversation, message_id)

    async def mark_due(self, experiment_ids: Sequence[str]) -> None:
        """Has the cards of these experiments edited soon."""
        async with self._database.writing() as session:
            await CardStore(session).mark_due(experiment_ids, now=self._clock())

    async def to_edit(self, platform: str, pace: Callable[[Conversation], EditPace]) -> list[CardToEdit]:
        """The cards to edit now, each with its experiment: one request to ClearML for all of them.

        A second one for the queues, where some wait, and each minute what it takes to say for how long.
        `pace` tells how long cards are left alone; what changes meanwhile is one edit.

        Raises:
            ClearMLError: ClearML does not answer.
        """
        now = self._clock()
        async with self._database.reading() as session:
            soon = await CardStore(session).due(platform, now=now + LOOKING_AHEAD)
            due = [card for card in soon if card.due <= now]
            waiting = await OutboxStore(session).waiting_conversations(platform, now=now) if due else []
        self._expects[platform] = bool(soon)
        due = [card for card in due if self._may_be_edited(card, pace(card.conversation), waiting, now)]
        if not due:
            return []
        experiments = await self._clearml.experiments(sorted({card.experiment_id for card in due}))
        host = await self._clearml.web_host()
        places = await self._places(experiments.values())
        return [
            CardToEdit(card, found, web_link(host, found), places.get(found.id))
            if found
            else CardToEdit(card, None)
            for card in due
            for found in (experiments.get(card.experiment_id),)
        ]

    def expects_edits(self, platform: str) -> bool:
        """Whether the last look found a card that is to be edited now or soon."""
        return self._expects.get(platform, True)

    def _may_be_edited(self, card: DueCard, pace: EditPace, waiting: Sequence[str], now: datetime) -> bool:
        """Whether it is a card's turn; if so its conversation has had it.

        `waiting` are the conversations to which messages are on their way.
        """
        if card.edited is not None and card.edited + pace.card > now:
            return False
        if not pace.conversation:
            return True
        place = (card.conversation.platform, card.conversation.id)
        last = self._edited.get(place)
        if card.conversation.id in waiting or (last is not None and last + pace.conversation > now):
            return False
        self._edited[place] = now
        return True

    async def place_of(self, experiment: Experiment) -> PlaceInQueue | None:
        """Where and for how long an experiment waits; None where it does not. One request, as `to_edit` has it."""
        return (await self._places([experiment])).get(experiment.id)

    async def _places(self, experiments: Iterable[Experiment]) -> dict[str, PlaceInQueue]:
        """Where and for how long those wait that do, by their ids."""
        waiting = [item for item in experiments if item.status is Status.PENDING and item.queue_id]
        if not waiting:
            return {}
        queues = {queue.id: queue for queue in await self._clearml.queues()}
        concerned = [queue for id_, queue in queues.items() if id_ in {item.queue_id for item in waiting}]
        waits = await self._waits.of(concerned)
        found = [(item.id, queue.place_of(item.id, waits.get(item.id))) for queue in concerned for item in waiting]
        return {experiment_id: place for experiment_id, place in found if place}

    async def edited(self, item: CardToEdit) -> None:
        """Notes that a card shows its experiment as it is now; that of a run is edited again in a while."""
        async with self._database.writing() as session:
            store = CardStore(session)
            if item.experiment is None or item.card.is_superseded:
                await store.retire(item.card)
                return
            now = self._clock()
            moves_on = item.experiment.status in {Status.PENDING, Status.RUNNING}
            await store.note_edited(
                item.card,
                at=now,
                shown_change=item.experiment.status_changed,
                due=now + PROGRESS_INTERVAL if moves_on else None,
            )

    async def not_edited(self, item: CardToEdit) -> None:
        """Notes that an edit failed; it is tried again after the usual pause."""
        async with self._database.writing() as session:
            await CardStore(session).note_edited(item.card, at=self._clock(), shown_change=None, due=item.card.due)

    async def give_up(self, item: CardToEdit) -> None:
        """Notes that a card can be edited no more."""
        async with self._database.writing() as session:
            await CardStore(session).retire(item.card)


def web_link(host: str, experiment: Experiment) -> str:
    """Where the web UI shows an experiment; empty where the web UI's address is not known."""
    project = experiment.project_id or "*"
    return f"{host}/projects/{project}/experiments/{experiment.id}/output/execution" if host else ""

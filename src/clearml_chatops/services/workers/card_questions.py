"""Asks the person who has a card whether somebody else may have it.

A question is kept with all that is needed to carry out what it is asked for, so that it may be answered tomorrow
and to a bot that was started anew. What was agreed is carried out by `card_handovers`.
"""

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.card_questions import CardQuestion, CardRequest, Consent
from clearml_chatops.models.errors import (
    AlreadyAskedError,
    CannotHandOverError,
    CardQuestionNotYoursError,
    CardQuestionOverError,
    NobodyToAskError,
    WorkerNotFoundError,
)
from clearml_chatops.models.messages import TERMINAL, Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import MidRun
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.workers.card_claims import CardClaim
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_orders import WorkerOrders
from clearml_chatops.storage.card_questions import CardQuestionStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_places import private_place
from clearml_chatops.storage.people import PeopleStore

OPEN_FOR = timedelta(days=1)
_TOKEN_BYTES = 9

Asked = Mapping[Person, tuple[CardClaim, ...]]
OrdersOf = Callable[[Person, Conversation], WorkerOrders]


class CardQuestions:
    """The questions about the cards of one host. `orders_of` are the orders of a person in a conversation."""

    def __init__(
        self,
        *,
        database: Database,
        host_workers: HostWorkers,
        orders_of: OrdersOf,
        host: str,
        clock: Callable[[], datetime],
        news: Bell,
        agreed: Bell,
    ) -> None:
        self._database = database
        self._host_workers = host_workers
        self._orders_of = orders_of
        self._host = host
        self._clock = clock
        self._news = news
        self._agreed = agreed

    async def whom_to_ask(self, claims: Sequence[CardClaim], asker: Person) -> Asked:
        """The others who have the cards, each with what he has; nobody where not all of them can be asked."""
        asked: dict[Person, tuple[CardClaim, ...]] = {}
        places = await self._places_of_orders()
        async with self._database.reading() as session:
            people = PeopleStore(session)
            for claim in claims:
                person = await _person_of(claim, people)
                if person is None or not claim.worker_id:
                    return {}
                if person.id == asker.id:
                    continue
                if _place(await people.identities(person.id), places.get(claim.worker_id)) is None:
                    return {}
                asked[person] = (*asked.get(person, ()), claim)
        return asked

    async def ask(
        self,
        request: CardRequest,
        claims: Sequence[CardClaim],
        asker: Person,
        *,
        text: Callable[[Sequence[CardClaim]], str],
    ) -> list[CardQuestion]:
        """Asks all of them; `text` is what one who has these claims is asked.

        Raises:
            NobodyToAskError, AlreadyAskedError: nobody was asked.
        """
        asked = await self.whom_to_ask(claims, asker)
        if not asked:
            raise NobodyToAskError(cards=request.cards)
        request = replace(
            request, order=replace(request.order, consents=tuple(claim.worker_id for claim in claims))
        )
        places = await self._places_of_orders()
        group, now = _token(), self._clock()
        questions = []
        async with self._database.writing() as session:
            store, people, outbox = CardQuestionStore(session), PeopleStore(session), OutboxStore(session)
            for known in await store.list(host=self._host):
                if _is_same(known.request, request):
                    back = Button("Take it back", f"/worker consent {known.token} {Consent.REFUSE}")
                    raise AlreadyAskedError(asked=known.asked_name, cards=request.cards, offers=[back])
            for person, his in asked.items():
                own = tuple(claim.worker_id for claim in his if claim.person_id is not None)
                question = CardQuestion(
                    token=_token(),
                    group=group,
                    host=self._host,
                    request=request,
                    asked_id=person.id,
                    asked_name=person.name,
                    worker_ids=own if len(own) == len(his) else (),
                    noted=now,
                    expires=now + OPEN_FOR,
                )
                await store.add(question)
                questions.append(question)
                place = _place(await people.identities(person.id), places.get(his[0].worker_id))
                notice = Notice(
                    f"cards:{question.token}",
                    text(his),
                    now,
                    offers=_answers(question, his),
                    person_id=person.id,
                )
                await outbox.add([(notice, place)] if place else [], now=now)
        self._news.ring()
        return questions

    async def concerning(self, person: Person) -> list[CardQuestion]:
        """The questions that wait for this person's answer, and those that he has asked."""
        async with self._database.reading() as session:
            found = await CardQuestionStore(session).list(host=self._host)
        return [
            item
            for item in found
            if (item.asked_id == person.id and item.answer is None) or item.request.asker_id == person.id
        ]

    async def answer(
        self, token: str, answer: Consent, person: Person, conversation: Conversation
    ) -> CardQuestion:
        """Answers a question, once. Who asked it may take it back by refusing it himself.

        Raises:
            CardQuestionOverError, CardQuestionNotYoursError, CannotHandOverError.
            WorkerNotYoursError, ClearMLError: it could not be handed over, and is not answered.
        """
        question = await self._open(token)
        takes_back = answer is Consent.REFUSE and person.id == question.request.asker_id
        if person.id != question.asked_id and person.role < Role.ADMIN and not takes_back:
            raise CardQuestionNotYoursError(asked=question.asked_name)
        if answer is Consent.HAND_OVER:
            # Before it is noted: what was noted and not done would look as if he had changed his mind.
            await self._drain(question, self._orders_of(person, conversation))
        now = self._clock()
        async with self._database.writing() as session:
            store = CardQuestionStore(session)
            if not any(_is_open(item, token, now) for item in await store.list(host=self._host)):
                raise CardQuestionOverError
            if answer is Consent.REFUSE:
                await store.remove(question.group)
            else:
                await store.answer(token, answer)
            if not takes_back:
                offers = _after_a_no(question) if answer is Consent.REFUSE else ()
                notice = Notice(
                    f"cards:{question.group}",
                    _told(question, answer),
                    now,
                    offers=offers,
                    person_id=question.request.asker_id,
                )
                await OutboxStore(session).add([(notice, question.request.conversation)], now=now)
        self._news.ring()
        self._agreed.ring()
        return question

    async def _open(self, token: str) -> CardQuestion:
        async with self._database.reading() as session:
            found = await CardQuestionStore(session).list(host=self._host)
        now = self._clock()
        question = next((item for item in found if _is_open(item, token, now)), None)
        if question is None:
            raise CardQuestionOverError
        return question

    async def _drain(self, question: CardQuestion, orders: WorkerOrders) -> None:
        """Has the workers of a question end when their runs have; those that are gone already are."""
        if not question.worker_ids:
            raise CannotHandOverError(cards=question.request.cards, asker=question.request.asker_name)
        for worker in await self._host_workers.wanted():
            if worker.id in question.worker_ids and not worker.draining:
                with contextlib.suppress(WorkerNotFoundError):
                    await orders.stop(worker.id, "", mid_run=MidRun.WAIT)

    async def _places_of_orders(self) -> dict[str, Conversation]:
        """Where each of our workers was ordered, by its id."""
        return {worker.id: worker.conversation for worker in await self._host_workers.wanted()}


def _is_same(one: CardRequest, other: CardRequest) -> bool:
    return (one.asker_id, one.order, one.restarts) == (other.asker_id, other.order, other.restarts)


def _is_open(question: CardQuestion, token: str, now: datetime) -> bool:
    return question.token == token and question.answer is None and question.expires > now


async def _person_of(claim: CardClaim, people: PeopleStore) -> Person | None:
    """Who has to agree: whose worker it is, and of an agent that is not ours whose experiment it runs."""
    if claim.person_id is not None:
        return await people.get(claim.person_id)
    return await people.with_clearml_user(claim.run.experiment.user_id) if claim.run else None


def _place(identities: Sequence[Identity], ordered: Conversation | None) -> Conversation | None:
    """Where a person is asked: in private, if possible on the platform on which he ordered his worker.

    A terminal is only where nothing else is: he may not sit there for days.
    """
    private = [private_place(item) for item in identities]
    chats = [place for place in private if place.platform != TERMINAL]
    if ordered and ordered.platform not in {"", TERMINAL}:
        return next((place for place in chats if place.platform == ordered.platform), ordered)
    return next(iter([*chats, *private]), None)


def _answers(question: CardQuestion, claims: Sequence[CardClaim]) -> tuple[Button, ...]:
    """What he may say, each as a button that says what it does."""
    line = f"/worker consent {question.token}"
    when = "when my run has ended" if any(claim.run for claim in claims) else "now"
    hand_over = [Button(f"Hand it over {when}", f"{line} {Consent.HAND_OVER}")] if question.worker_ids else []
    return (
        Button(f"Let {question.request.asker_name} share it", f"{line} {Consent.SHARE}"),
        *hand_over,
        Button("Not now", f"{line} {Consent.REFUSE}"),
    )


def _told(question: CardQuestion, answer: Consent) -> str:
    """What the asker is told of an answer."""
    name, cards = question.asked_name, question.request.cards
    match answer:
        case Consent.SHARE:
            return f"{name} lets you share {cards}."
        case Consent.HAND_OVER:
            return f"{name} gives you {cards}: your order is carried out when what runs there has ended."
        case Consent.REFUSE:
            return f"{name} says not now to your question for {cards}. Nothing was started."


def _after_a_no(question: CardQuestion) -> tuple[Button, ...]:
    card = question.request.cards.removeprefix("card ")
    watch = [Button("Tell me when it is free", f"/gpus watch {card}")] if card.isdigit() else []
    return (*watch, Button("All cards", "/gpus"))


def _token() -> str:
    return secrets.token_hex(_TOKEN_BYTES)

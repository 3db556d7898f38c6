"""Carries out what the people who have a card have agreed to: starts the worker of the one who asked for it.

It is looked at once more who has the cards: what is not as it was when they agreed is told, and not taken.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.card_questions import CardQuestion, CardRequest, Consent
from clearml_chatops.models.errors import ChatOpsError, ClearMLError, WorkerExistsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_orders import OrderResult, WorkerOrders
from clearml_chatops.storage.card_questions import CardQuestionStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore

_TRIED_AGAIN_AFTER = timedelta(minutes=2)
"""What was begun and has not ended by then was begun by a program that has died of something."""


class CardHandovers:
    """The agreements about the cards of one host. `orders_of` are the orders of a person in a conversation."""

    def __init__(
        self,
        *,
        database: Database,
        host_workers: HostWorkers,
        orders_of: Callable[[Person, Conversation], WorkerOrders],
        host: str,
        clock: Callable[[], datetime],
        news: Bell,
    ) -> None:
        self._database = database
        self._host_workers = host_workers
        self._orders_of = orders_of
        self._host = host
        self._clock = clock
        self._news = news

    async def look(self) -> None:
        """Carries out what all who were asked have agreed to, and ends what nobody has answered in time.

        Raises:
            ClearMLError: it cannot be asked; what was agreed is tried again by the next look.
        """
        async with self._database.reading() as session:
            questions = await CardQuestionStore(session).list(host=self._host)
        for _, together in groupby(questions, lambda item: item.group):
            group = list(together)
            unanswered = [item for item in group if item.answer is None]
            if not unanswered:
                await self._hand_over(group)
            elif any(item.expires <= self._clock() for item in unanswered):
                request = group[0].request
                text = f"{_names(unanswered)} did not answer whether you may have {request.cards}."
                await self._end(group, text, Button("Ask again", f"{request.line} --ask"))

    async def _hand_over(self, group: Sequence[CardQuestion]) -> None:
        """Carries out one request, unless a run that shall end first has not, or another program is at it."""
        request, now = group[0].request, self._clock()
        ending = {id_ for item in group if item.answer is Consent.HAND_OVER for id_ in item.worker_ids}
        still_there = [worker for worker in await self._host_workers.wanted() if worker.id in ending]
        if any(not worker.draining for worker in still_there):
            text = f"{_names(group)} goes on with the worker on {request.cards} after all. Nothing was started."
            await self._end(group, text, Button("Ask again", f"{request.line} --ask"))
        elif not still_there and await self._is_taken_up(group[0].group, now):
            asker = await self._asker(request)
            if asker is None:
                await self._end(group, "")
                return
            try:
                text, *offers = await self._carried_out(request, asker)
            except ClearMLError:
                async with self._database.writing() as session:
                    await CardQuestionStore(session).begin(group[0].group, None)
                raise
            await self._end(group, f"{_names(group)} agreed. {text}", *offers)

    async def _is_taken_up(self, group: str, now: datetime) -> bool:
        """Notes that a request is being carried out; False where it is already, or is no more."""
        async with self._database.writing() as session:
            store = CardQuestionStore(session)
            known = [item for item in await store.list(host=self._host) if item.group == group]
            if not known or any(item.begun and now - item.begun < _TRIED_AGAIN_AFTER for item in known):
                return False
            await store.begin(group, now)
        return True

    async def _asker(self, request: CardRequest) -> Person | None:
        """Who has asked, if he may still have workers."""
        async with self._database.reading() as session:
            people = PeopleStore(session)
            person = await people.get(request.asker_id)
            known = person is not None and await people.identities(person.id)
        return person if person and known and person.role >= Role.MEMBER else None

    async def _carried_out(self, request: CardRequest, asker: Person) -> tuple[str, *tuple[Button, ...]]:
        """What became of the request, and what may be done then. Raises ClearMLError."""
        orders = self._orders_of(asker, request.conversation)
        again = Button("Try again", f"{request.line} --share")
        try:
            if request.restarts is None:
                result = await orders.start(request.order)
            else:
                result = await orders.restart(request.restarts, request.order, mid_run=request.mid_run)
        except ClearMLError:
            raise
        except WorkerExistsError as error:
            # Started by the look that died before it could say so; else somebody else's has the name.
            worker_id = str(error.values["worker"])
            wanted = await self._host_workers.wanted()
            if any(item.id == worker_id and item.person_id == asker.id for item in wanted):
                return f"Your worker {worker_id} is there.", Button("My workers", "/worker")
            return f"But: {error}", again
        except ChatOpsError as error:
            return f"But: {error}", again
        return _told(result, request)

    async def _end(self, group: Sequence[CardQuestion], text: str, *offers: Button) -> None:
        """Forgets a request and tells who asked what became of it, once."""
        now, first = self._clock(), group[0]
        notice = Notice(f"cards:{first.group}", text, now, offers=offers, person_id=first.request.asker_id)
        async with self._database.writing() as session:
            if await CardQuestionStore(session).remove(first.group) and text:
                await OutboxStore(session).add([(notice, first.request.conversation)], now=now)
        self._news.ring()


def _told(result: OrderResult, request: CardRequest) -> tuple[str, *tuple[Button, ...]]:
    if result.claims:
        text = f"But meanwhile others are on {request.cards}, so nothing was started."
        return text, Button("Show who", request.line)
    if result.busy or result.candidates:
        text = "Your own worker is in mid-run, so nothing was restarted yet: say what becomes of its run."
        return text, Button("Restart it", f"{request.line} --share")
    ending = [f"{item.worker.id} ends what it runs, and then takes {request.cards}." for item in result.draining]
    started = [f"Your worker {item.id} listens on {item.plan.queue_names}." for item in result.started]
    return " ".join((*started, *ending)), Button("My workers", "/worker")


def _names(group: Sequence[CardQuestion]) -> str:
    return " and ".join(item.asked_name for item in group)

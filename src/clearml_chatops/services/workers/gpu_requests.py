"""Asks the person who has a card whether somebody else may have it.

A question is kept with all that is needed to carry out what it is asked for, so that it may be answered tomorrow
and to a bot that was started anew. What was agreed is carried out by `card_handovers`.
"""

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import (
    CannotHandOverError,
    GpuAlreadyRequestedError,
    GpuOwnerUnreachableError,
    GpuRequestClosedError,
    GpuRequestNotYoursError,
    WorkerNotFoundError,
)
from clearml_chatops.models.gpu_requests import GpuRequest, GpuRequestAnswer, GpuRequestDetails
from clearml_chatops.models.messages import TERMINAL, Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import RunningPolicy
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.workers.gpu_conflicts import GpuConflict
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_commands import WorkerCommands
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import to_direct_message
from clearml_chatops.storage.gpu_requests import GpuRequestStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore

REQUEST_LIFETIME = timedelta(days=1)
_TOKEN_BYTES = 9

ConflictsByOwner = Mapping[Person, tuple[GpuConflict, ...]]
WorkerCommandsFactory = Callable[[Person, Conversation], WorkerCommands]


class GpuRequests:
    """The questions about the cards of one host. `orders_of` are the orders of a person in a conversation."""

    def __init__(
        self,
        *,
        database: Database,
        host_workers: HostWorkers,
        create_worker_commands: WorkerCommandsFactory,
        host: str,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
        handover_wakeup: Wakeup,
    ) -> None:
        self._database = database
        self._host_workers = host_workers
        self._create_worker_commands = create_worker_commands
        self._host = host
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup
        self._handover_wakeup = handover_wakeup

    async def find_owners_to_ask(self, conflicts: Sequence[GpuConflict], requester: Person) -> ConflictsByOwner:
        """The others who have the cards, each with what he has; nobody where not all of them can be asked."""
        conflicts_by_owner: dict[Person, tuple[GpuConflict, ...]] = {}
        worker_conversations = await self._get_worker_conversations()
        async with self._database.reading() as session:
            people = PeopleStore(session)
            for conflict in conflicts:
                person = await _find_owner(conflict, people)
                if person is None or not conflict.worker_id:
                    return {}
                if person.id == requester.id:
                    continue
                if (
                    _choose_conversation(
                        await people.list_identities(person.id), worker_conversations.get(conflict.worker_id)
                    )
                    is None
                ):
                    return {}
                conflicts_by_owner[person] = (*conflicts_by_owner.get(person, ()), conflict)
        return conflicts_by_owner

    async def create(
        self,
        details: GpuRequestDetails,
        conflicts: Sequence[GpuConflict],
        requester: Person,
        *,
        render_text: Callable[[Sequence[GpuConflict]], str],
    ) -> list[GpuRequest]:
        """Asks all of them; `text` is what one who has these claims is asked.

        Raises:
            NobodyToAskError, AlreadyAskedError: nobody was asked.
        """
        conflicts_by_owner = await self.find_owners_to_ask(conflicts, requester)
        if not conflicts_by_owner:
            raise GpuOwnerUnreachableError(cards=details.gpu_label)
        details = replace(
            details,
            worker_spec=replace(
                details.worker_spec, accepted_worker_ids=tuple(conflict.worker_id for conflict in conflicts)
            ),
        )
        worker_conversations = await self._get_worker_conversations()
        group, now = _generate_token(), self._clock()
        gpu_requests = []
        async with self._database.writing() as session:
            store, people, outbox = GpuRequestStore(session), PeopleStore(session), OutboxStore(session)
            for existing_request in await store.list(host=self._host):
                if _is_same(existing_request.details, details):
                    withdraw_button = Button(
                        "Take it back", f"/worker consent {existing_request.token} {GpuRequestAnswer.DECLINE}"
                    )
                    raise GpuAlreadyRequestedError(
                        asked=existing_request.owner_name, cards=details.gpu_label, buttons=[withdraw_button]
                    )
            for owner, owner_conflicts in conflicts_by_owner.items():
                started_worker_ids = tuple(
                    claim.worker_id for claim in owner_conflicts if claim.person_id is not None
                )
                gpu_request = GpuRequest(
                    token=_generate_token(),
                    group_token=group,
                    host=self._host,
                    details=details,
                    owner_id=owner.id,
                    owner_name=owner.name,
                    worker_ids=started_worker_ids if len(started_worker_ids) == len(owner_conflicts) else (),
                    created=now,
                    expires=now + REQUEST_LIFETIME,
                )
                await store.add(gpu_request)
                gpu_requests.append(gpu_request)
                conversation = _choose_conversation(
                    await people.list_identities(owner.id), worker_conversations.get(owner_conflicts[0].worker_id)
                )
                notice = Notice(
                    f"gpu_request:{gpu_request.token}",
                    render_text(owner_conflicts),
                    now,
                    buttons=_build_answer_buttons(gpu_request, owner_conflicts),
                    person_id=owner.id,
                )
                await outbox.add([(notice, conversation)] if conversation else [], now=now)
        self._outbox_wakeup.wake()
        return gpu_requests

    async def list_for_person(self, person: Person) -> list[GpuRequest]:
        """The questions that wait for this person's answer, and those that he has asked."""
        async with self._database.reading() as session:
            requests = await GpuRequestStore(session).list(host=self._host)
        return [
            item
            for item in requests
            if (item.owner_id == person.id and item.answer is None) or item.details.requester_id == person.id
        ]

    async def answer(
        self, token: str, answer: GpuRequestAnswer, person: Person, conversation: Conversation
    ) -> GpuRequest:
        """Answers a question, once. Who asked it may take it back by refusing it himself.

        Raises:
            CardQuestionOverError, CardQuestionNotYoursError, CannotHandOverError.
            WorkerNotYoursError, ClearMLError: it could not be handed over, and is not answered.
        """
        request = await self._get_open(token)
        is_withdrawal = answer is GpuRequestAnswer.DECLINE and person.id == request.details.requester_id
        if person.id != request.owner_id and person.role < Role.ADMIN and not is_withdrawal:
            raise GpuRequestNotYoursError(asked=request.owner_name)
        if answer is GpuRequestAnswer.HAND_OVER:
            # Before it is noted: what was noted and not done would look as if he had changed his mind.
            await self._drain_workers(request, self._create_worker_commands(person, conversation))
        now = self._clock()
        async with self._database.writing() as session:
            store = GpuRequestStore(session)
            if not any(_is_open(item, token, now) for item in await store.list(host=self._host)):
                raise GpuRequestClosedError
            if answer is GpuRequestAnswer.DECLINE:
                await store.remove(request.group_token)
            else:
                await store.set_answer(token, answer)
            if not is_withdrawal:
                offers = _build_declined_buttons(request) if answer is GpuRequestAnswer.DECLINE else ()
                notice = Notice(
                    f"gpu_request:{request.group_token}",
                    _describe_answer(request, answer),
                    now,
                    buttons=offers,
                    person_id=request.details.requester_id,
                )
                await OutboxStore(session).add([(notice, request.details.conversation)], now=now)
        self._outbox_wakeup.wake()
        self._handover_wakeup.wake()
        return request

    async def _get_open(self, token: str) -> GpuRequest:
        async with self._database.reading() as session:
            requests = await GpuRequestStore(session).list(host=self._host)
        now = self._clock()
        request = next((item for item in requests if _is_open(item, token, now)), None)
        if request is None:
            raise GpuRequestClosedError
        return request

    async def _drain_workers(self, request: GpuRequest, commands: WorkerCommands) -> None:
        """Has the workers of a question end when their runs have; those that are gone already are."""
        if not request.worker_ids:
            raise CannotHandOverError(cards=request.details.gpu_label, asker=request.details.requester_name)
        for worker in await self._host_workers.list_desired():
            if worker.id in request.worker_ids and not worker.draining:
                with contextlib.suppress(WorkerNotFoundError):
                    await commands.stop(worker.id, "", running_policy=RunningPolicy.WAIT)

    async def _get_worker_conversations(self) -> dict[str, Conversation]:
        """Where each of our workers was ordered, by its id."""
        return {worker.id: worker.conversation for worker in await self._host_workers.list_desired()}


def _is_same(one: GpuRequestDetails, other: GpuRequestDetails) -> bool:
    return (one.requester_id, one.worker_spec, one.worker_id_to_restart) == (
        other.requester_id,
        other.worker_spec,
        other.worker_id_to_restart,
    )


def _is_open(request: GpuRequest, token: str, now: datetime) -> bool:
    return request.token == token and request.answer is None and request.expires > now


async def _find_owner(conflict: GpuConflict, people: PeopleStore) -> Person | None:
    """Who has to agree: whose worker it is, and of an agent that is not ours whose experiment it runs."""
    if conflict.person_id is not None:
        return await people.get(conflict.person_id)
    return await people.find_by_clearml_user(conflict.run.experiment.user_id) if conflict.run else None


def _choose_conversation(
    identities: Sequence[Identity], worker_conversation: Conversation | None
) -> Conversation | None:
    """Where a person is asked: in private, if possible on the platform on which he ordered his worker.

    A terminal is only where nothing else is: he may not sit there for days.
    """
    direct_messages = [to_direct_message(item) for item in identities]
    chats = [conversation for conversation in direct_messages if conversation.platform != TERMINAL]
    if worker_conversation and worker_conversation.platform not in {"", TERMINAL}:
        return next(
            (place for place in chats if place.platform == worker_conversation.platform), worker_conversation
        )
    return next(iter([*chats, *direct_messages]), None)


def _build_answer_buttons(request: GpuRequest, conflicts: Sequence[GpuConflict]) -> tuple[Button, ...]:
    """What he may say, each as a button that says what it does."""
    command = f"/worker consent {request.token}"
    when = "when my run has ended" if any(conflict.run for conflict in conflicts) else "now"
    hand_over_buttons = (
        [Button(f"Hand it over {when}", f"{command} {GpuRequestAnswer.HAND_OVER}")] if request.worker_ids else []
    )
    return (
        Button(f"Let {request.details.requester_name} share it", f"{command} {GpuRequestAnswer.SHARE}"),
        *hand_over_buttons,
        Button("Not now", f"{command} {GpuRequestAnswer.DECLINE}"),
    )


def _describe_answer(request: GpuRequest, answer: GpuRequestAnswer) -> str:
    """What the asker is told of an answer."""
    name, gpus = request.owner_name, request.details.gpu_label
    match answer:
        case GpuRequestAnswer.SHARE:
            return f"{name} lets you share {gpus}."
        case GpuRequestAnswer.HAND_OVER:
            return f"{name} gives you {gpus}: your order is carried out when what runs there has ended."
        case GpuRequestAnswer.DECLINE:
            return f"{name} says not now to your question for {gpus}. Nothing was started."


def _build_declined_buttons(request: GpuRequest) -> tuple[Button, ...]:
    gpu = request.details.gpu_label.removeprefix("card ")
    watch_buttons = [Button("Tell me when it is free", f"/gpus watch {gpu}")] if gpu.isdigit() else []
    return (*watch_buttons, Button("All cards", "/gpus"))


def _generate_token() -> str:
    return secrets.token_hex(_TOKEN_BYTES)

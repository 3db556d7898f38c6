"""GPU requests: asking the owners of GPUs whether somebody else may use them.

A request is stored with all that is needed to carry it out; it survives a restart of the bot. `gpu_handovers`
carries out what was accepted.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """The GPU requests of one host. A handover drains workers with the owner's own worker commands."""

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
        """Return the other owners with their conflicts; empty if one of them can't be asked."""
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
        """Ask all owners; `render_text` returns the question for an owner with the given conflicts.

        Raises:
            GpuOwnerUnreachableError, GpuAlreadyRequestedError: nobody was asked.
        """
        conflicts_by_owner = await self.find_owners_to_ask(conflicts, requester)
        if not conflicts_by_owner:
            raise GpuOwnerUnreachableError(gpus=details.gpu_label)
        accepted_worker_ids = tuple(conflict.worker_id for conflict in conflicts)
        details = replace(
            details, worker_spec=replace(details.worker_spec, accepted_worker_ids=accepted_worker_ids)
        )
        worker_conversations = await self._get_worker_conversations()
        group, now = _generate_token(), self._clock()
        gpu_requests = []
        async with self._database.writing() as session:
            store, people, outbox = GpuRequestStore(session), PeopleStore(session), OutboxStore(session)
            _require_not_requested(await store.list(host=self._host), details)
            for owner, owner_conflicts in conflicts_by_owner.items():
                gpu_request = GpuRequest(
                    token=_generate_token(),
                    group_token=group,
                    host=self._host,
                    details=details,
                    owner_id=owner.id,
                    owner_name=owner.name,
                    worker_ids=_list_started_worker_ids(owner_conflicts),
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
        """Return the requests that wait for this person's answer, and the person's own requests."""
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
        """Answer a request, once. The requester withdraws it by declining it.

        Raises:
            GpuRequestClosedError, GpuRequestNotYoursError, CannotHandOverError.
            WorkerNotYoursError, ClearMLError: the handover failed, and the request is still open.
        """
        request = await self._get_open(token)
        is_withdrawal = answer is GpuRequestAnswer.DECLINE and person.id == request.details.requester_id
        if person.id != request.owner_id and person.role < Role.ADMIN and not is_withdrawal:
            raise GpuRequestNotYoursError(owner=request.owner_name)
        if answer is GpuRequestAnswer.HAND_OVER:
            # Drain first: a stored answer without draining means that the owner changed their mind.
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
                buttons = _build_declined_buttons(request) if answer is GpuRequestAnswer.DECLINE else ()
                notice = Notice(
                    f"gpu_request:{request.group_token}",
                    _describe_answer(request, answer),
                    now,
                    buttons=buttons,
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
        """Drain the workers of a request; ignore workers that are gone."""
        if not request.worker_ids:
            raise CannotHandOverError(gpus=request.details.gpu_label, requester=request.details.requester_name)
        for worker in await self._host_workers.list_desired():
            if worker.id in request.worker_ids and not worker.draining:
                with contextlib.suppress(WorkerNotFoundError):
                    await commands.stop(worker.id, "", running_policy=RunningPolicy.WAIT)

    async def _get_worker_conversations(self) -> dict[str, Conversation]:
        """Return the conversation in which each of the bot's workers was started, by worker id."""
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
    """Return who has to accept: the worker's owner, or for a foreign agent, the owner of its experiment."""
    if conflict.person_id is not None:
        return await people.get(conflict.person_id)
    return await people.find_by_clearml_user(conflict.run.experiment.user_id) if conflict.run else None


def _choose_conversation(
    identities: Sequence[Identity], worker_conversation: Conversation | None
) -> Conversation | None:
    """Return where to ask a person: a direct message, if possible on the platform where they started the worker.

    A terminal is the last choice: they may not open it for days.
    """
    direct_messages = [to_direct_message(item) for item in identities]
    chats = [conversation for conversation in direct_messages if conversation.platform != TERMINAL]
    if worker_conversation and worker_conversation.platform not in {"", TERMINAL}:
        return next((chat for chat in chats if chat.platform == worker_conversation.platform), worker_conversation)
    return next(iter([*chats, *direct_messages]), None)


def _require_not_requested(requests: Iterable[GpuRequest], details: GpuRequestDetails) -> None:
    for request in requests:
        if _is_same(request.details, details):
            command = f"/worker consent {request.token} {GpuRequestAnswer.DECLINE}"
            raise GpuAlreadyRequestedError(
                owner=request.owner_name,
                gpus=details.gpu_label,
                buttons=[Button("Withdraw request", command)],
            )


def _list_started_worker_ids(conflicts: Sequence[GpuConflict]) -> tuple[str, ...]:
    """Return the workers of an owner's conflicts; none unless the bot started all of them."""
    if any(conflict.person_id is None for conflict in conflicts):
        return ()
    return tuple(conflict.worker_id for conflict in conflicts)


def _build_answer_buttons(request: GpuRequest, conflicts: Sequence[GpuConflict]) -> tuple[Button, ...]:
    command = f"/worker consent {request.token}"
    when = "after run" if any(conflict.run for conflict in conflicts) else "now"
    hand_over_buttons = (
        [Button(f"Hand over {when}", f"{command} {GpuRequestAnswer.HAND_OVER}")] if request.worker_ids else []
    )
    return (
        Button(f"Share with {request.details.requester_name}", f"{command} {GpuRequestAnswer.SHARE}"),
        *hand_over_buttons,
        Button("Decline", f"{command} {GpuRequestAnswer.DECLINE}"),
    )


def _describe_answer(request: GpuRequest, answer: GpuRequestAnswer) -> str:
    """Return the notice for the requester."""
    name, gpus = request.owner_name, request.details.gpu_label
    match answer:
        case GpuRequestAnswer.SHARE:
            return f"{name} lets you share {gpus}."
        case GpuRequestAnswer.HAND_OVER:
            return f"{name} hands {gpus} over to you. Your worker starts when the current run, if any, ends."
        case GpuRequestAnswer.DECLINE:
            return f"{name} declined your request for {gpus}. Nothing was started."


def _build_declined_buttons(request: GpuRequest) -> tuple[Button, ...]:
    index = request.details.gpu_label.partition(" ")[2]  # only the label of a single GPU ends in its index
    watch_buttons = [Button(f"Watch GPU {index}", f"/gpus watch {index}")] if index.isdigit() else []
    return (*watch_buttons, Button("Show GPUs", "/gpus"))


def _generate_token() -> str:
    return secrets.token_hex(_TOKEN_BYTES)

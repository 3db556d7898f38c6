"""GPU handovers: starting the requester's worker after all owners have accepted the GPU request.

Conflicts are checked again first. If somebody else uses the GPU by then, the requester gets notified instead.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from clearml_chatops.models.errors import ChatOpsError, ClearMLError, WorkerExistsError
from clearml_chatops.models.gpu_requests import GpuRequest, GpuRequestAnswer, GpuRequestDetails
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_commands import WorkerCommandResult, WorkerCommands
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.gpu_requests import GpuRequestStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore

_RETRY_AFTER = timedelta(minutes=2)
"""A handover that has not finished by then was started by a program that has crashed."""


class GpuHandovers:
    """The handovers of one host, carried out with the requester's own worker commands."""

    def __init__(
        self,
        *,
        database: Database,
        host_workers: HostWorkers,
        create_worker_commands: Callable[[Person, Conversation], WorkerCommands],
        host: str,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
    ) -> None:
        self._database = database
        self._host_workers = host_workers
        self._create_worker_commands = create_worker_commands
        self._host = host
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup

    async def poll(self) -> None:
        """Carry out requests that all owners have accepted, and expire requests without an answer.

        Raises:
            ClearMLError: ClearML failed; the next poll tries again.
        """
        async with self._database.reading() as session:
            requests = await GpuRequestStore(session).list(host=self._host)
        for _, group_requests in groupby(requests, lambda item: item.group_token):
            group = list(group_requests)
            unanswered = [item for item in group if item.answer is None]
            if not unanswered:
                await self._hand_over(group)
            elif any(item.expires <= self._clock() for item in unanswered):
                details = group[0].details
                names = _join_owner_names(unanswered)
                text = f"{names} didn't answer, so your request for {details.gpu_label} expired."
                await self._finish(group, text, Button("Ask again", f"{details.command} --ask"))

    async def _hand_over(self, group: Sequence[GpuRequest]) -> None:
        """Carry out a request, unless a run has to end first or another program is already carrying it out."""
        details, now = group[0].details, self._clock()
        handed_over_worker_ids = {
            id_ for item in group if item.answer is GpuRequestAnswer.HAND_OVER for id_ in item.worker_ids
        }
        remaining_workers = [
            worker for worker in await self._host_workers.list_desired() if worker.id in handed_over_worker_ids
        ]
        if any(not worker.draining for worker in remaining_workers):
            text = f"{_join_owner_names(group)} kept the worker on {details.gpu_label}. Nothing was started."
            await self._finish(group, text, Button("Ask again", f"{details.command} --ask"))
        elif not remaining_workers and await self._try_begin(group[0].group_token, now):
            requester = await self._find_requester(details)
            if requester is None:
                await self._finish(group, "")
                return
            try:
                text, *buttons = await self._execute(details, requester)
            except ClearMLError:
                async with self._database.writing() as session:
                    await GpuRequestStore(session).set_handover_started(group[0].group_token, None)
                raise
            await self._finish(group, f"{_join_owner_names(group)} accepted. {text}", *buttons)

    async def _try_begin(self, group: str, now: datetime) -> bool:
        """Mark a request as being carried out. Return False if it already is, or no longer exists."""
        async with self._database.writing() as session:
            store = GpuRequestStore(session)
            requests = [item for item in await store.list(host=self._host) if item.group_token == group]
            if not requests or any(
                item.handover_started and now - item.handover_started < _RETRY_AFTER for item in requests
            ):
                return False
            await store.set_handover_started(group, now)
        return True

    async def _find_requester(self, details: GpuRequestDetails) -> Person | None:
        """Return the requester, if they may still have workers."""
        async with self._database.reading() as session:
            people = PeopleStore(session)
            person = await people.get(details.requester_id)
            is_known = person is not None and await people.list_identities(person.id)
        return person if person and is_known and person.role >= Role.MEMBER else None

    async def _execute(self, details: GpuRequestDetails, requester: Person) -> tuple[str, *tuple[Button, ...]]:
        """Start or restart the requester's worker; return the outcome and its buttons. Raises ClearMLError."""
        commands = self._create_worker_commands(requester, details.conversation)
        retry_button = Button("Try again", f"{details.command} --share")
        try:
            if details.worker_id_to_restart is None:
                result = await commands.start(details.worker_spec)
            else:
                result = await commands.restart(
                    details.worker_id_to_restart, details.worker_spec, running_policy=details.running_policy
                )
        except ClearMLError:
            raise
        except WorkerExistsError as error:
            # An earlier poll started it and crashed before the notice, or it is another person's worker.
            worker_id = str(error.values["worker"])
            desired_workers = await self._host_workers.list_desired()
            if any(item.id == worker_id and item.person_id == requester.id for item in desired_workers):
                return f"Your worker {worker_id} is started.", Button("Show my workers", "/worker")
            return f"But your worker didn't start: {error}", retry_button
        except ChatOpsError as error:
            return f"But your worker didn't start: {error}", retry_button
        return _describe_result(result, details)

    async def _finish(self, group: Sequence[GpuRequest], text: str, *buttons: Button) -> None:
        """Remove a request and notify the requester once, unless `text` is empty."""
        now, first_request = self._clock(), group[0]
        notice = Notice(
            f"gpu_request:{first_request.group_token}",
            text,
            now,
            buttons=buttons,
            person_id=first_request.details.requester_id,
        )
        async with self._database.writing() as session:
            if await GpuRequestStore(session).remove(first_request.group_token) and text:
                await OutboxStore(session).add([(notice, first_request.details.conversation)], now=now)
        self._outbox_wakeup.wake()


def _describe_result(result: WorkerCommandResult, details: GpuRequestDetails) -> tuple[str, *tuple[Button, ...]]:
    if result.conflicts:
        text = f"But someone else uses {details.gpu_label} now. Nothing was started."
        return text, Button("Show conflict", details.command)
    if result.busy_workers:
        text = "Your worker is running an experiment. To restart it, choose what happens to the run."
        return text, Button("Restart worker", f"{details.command} --share")
    if result.candidates:
        text = "You have several workers now. To restart one, choose it."
        return text, Button("Choose worker", f"{details.command} --share")
    draining_texts = [
        f"{item.worker.id} finishes its run and then moves to {details.gpu_label}." for item in result.draining
    ]
    started_texts = [f"Your worker {item.id} listens on {item.plan.queue_names}." for item in result.started]
    return " ".join((*started_texts, *draining_texts)), Button("Show my workers", "/worker")


def _join_owner_names(group: Sequence[GpuRequest]) -> str:
    return " and ".join(item.owner_name for item in group)

"""What the program asks of ClearML, as typed verbs; and one connection for each ClearML identity."""

from concurrent.futures import ThreadPoolExecutor

from clearml_chatops.models.queues import Worker
from clearml_chatops.services.clearml_gateway.experiment_calls import ExperimentCalls
from clearml_chatops.services.clearml_gateway.experiment_changes import ExperimentChanges
from clearml_chatops.services.clearml_gateway.queue_calls import QueueCalls
from clearml_chatops.services.clearml_gateway.reading import (
    read_worker,
)
from clearml_chatops.services.clearml_gateway.run_reports import RunReports
from clearml_chatops.services.clearml_gateway.session import (
    ClearMLCredentials,
    ClearMLIdentity,
    ClearMLSession,
)

_REQUESTS_AT_ONCE = 8
"""Requests under way at once; ClearML's API server has a handful of processes itself."""

_WORKER_SEEN_WITHIN_SECONDS = 600


class ClearML(ExperimentCalls, ExperimentChanges, RunReports, QueueCalls):
    """ClearML's API as one identity: experiments and queues, the workers, the server, ourselves."""

    async def workers(self) -> tuple[Worker, ...]:
        """The workers that were seen within the ten minutes after which ClearML forgets one."""
        data = await self._call("workers.get_all", {"last_seen": _WORKER_SEEN_WITHIN_SECONDS})
        return tuple(sorted((read_worker(worker) for worker in data["workers"]), key=lambda worker: worker.id))

    async def sign_off(self, worker_id: str) -> None:
        """Takes a worker from ClearML's list, which keeps a killed one there for ten minutes."""
        await self._call("workers.unregister", {"worker": worker_id})

    async def users(self) -> dict[str, str]:
        """Names of all users, by id."""
        data = await self._call("users.get_all_ex", {"only_fields": ["id", "name"]})
        return {user["id"]: user["name"] for user in data["users"]}

    async def identity(self) -> ClearMLIdentity:
        return await self._session.identity()

    async def agent_environment(self) -> dict[str, str]:
        return await self._session.agent_environment()

    async def host(self) -> str:
        return await self._session.host()

    async def web_host(self) -> str:
        return await self._session.web_host()


class ClearMLConnections:
    """The way to ClearML for everybody who uses this bot, in one bounded pool of threads."""

    def __init__(self, credentials: ClearMLCredentials) -> None:
        self._threads = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="clearml")
        self._session = ClearMLSession(credentials, threads=self._threads)
        self.bot = ClearML(self._session)

    async def require_credentials(self) -> None:
        """Raises SettingsError where no credentials are set; whether they are right the server tells."""
        await self._session.require_credentials()

    def acting_as(self, clearml_user_id: str) -> ClearML:
        """ClearML as this user where the bot's credentials allow it, else as the bot itself."""
        return ClearML(self._session, acting_user_id=clearml_user_id)

    async def aclose(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

"""The gateway to ClearML: its API as typed methods, and one shared connection for all identities."""

from concurrent.futures import ThreadPoolExecutor

from clearml_chatops.models.queues import Worker
from clearml_chatops.services.clearml_gateway.experiment_actions import ExperimentActions
from clearml_chatops.services.clearml_gateway.experiment_queries import ExperimentQueries
from clearml_chatops.services.clearml_gateway.queue_api import QueueApi
from clearml_chatops.services.clearml_gateway.run_queries import RunQueries
from clearml_chatops.services.clearml_gateway.serialization import parse_worker
from clearml_chatops.services.clearml_gateway.session import (
    ClearMLCredentials,
    ClearMLIdentity,
    ClearMLSession,
)

_MAX_CONCURRENT_REQUESTS = 8
"""ClearML's API server has only a handful of processes."""

_WORKER_MAX_AGE_SECONDS = 600


class ClearML(ExperimentQueries, ExperimentActions, RunQueries, QueueApi):
    """ClearML's API as one identity: experiments, queues, workers, users and the server's addresses."""

    async def list_workers(self) -> tuple[Worker, ...]:
        """Return the workers seen within the last ten minutes, after which ClearML forgets a worker."""
        data = await self._call("workers.get_all", {"last_seen": _WORKER_MAX_AGE_SECONDS})
        return tuple(sorted((parse_worker(worker) for worker in data["workers"]), key=lambda worker: worker.id))

    async def unregister_worker(self, worker_id: str) -> None:
        """Remove a worker from ClearML's list, where a killed one would stay for ten minutes."""
        await self._call("workers.unregister", {"worker": worker_id})

    async def get_user_names(self) -> dict[str, str]:
        """Return the names of all users, by id."""
        data = await self._call("users.get_all_ex", {"only_fields": ["id", "name"]})
        return {user["id"]: user["name"] for user in data["users"]}

    async def get_identity(self) -> ClearMLIdentity:
        return await self._session.get_identity()

    async def build_agent_environment(self) -> dict[str, str]:
        return await self._session.build_agent_environment()

    async def get_api_host(self) -> str:
        return await self._session.get_api_host()

    async def get_web_host(self) -> str:
        return await self._session.get_web_host()


class ClearMLConnections:
    """ClearML for all users of this bot, through one session and one bounded thread pool."""

    def __init__(self, credentials: ClearMLCredentials) -> None:
        self._executor = ThreadPoolExecutor(_MAX_CONCURRENT_REQUESTS, thread_name_prefix="clearml")
        self._session = ClearMLSession(credentials, executor=self._executor)
        self.bot = ClearML(self._session)

    async def require_credentials(self) -> None:
        """Raise SettingsError if no credentials are set. Doesn't check whether the server accepts them."""
        await self._session.require_credentials()

    def impersonate(self, clearml_user_id: str) -> ClearML:
        """Return ClearML as this user if the bot's credentials allow it, otherwise as the bot itself."""
        return ClearML(self._session, impersonated_user_id=clearml_user_id)

    async def aclose(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

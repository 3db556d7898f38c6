"""Errors of workers and GPUs."""

from clearml_chatops.models.errors.base import ChatOpsError


class AgentMissingError(ChatOpsError):
    """The program clearml-agent is not installed on the bot's machine."""

    code = "agent_missing"
    text = "clearml-agent isn't installed on {host}. Install it there with: pip install clearml-agent"


class DockerMissingError(ChatOpsError):
    """The program docker is not installed on the bot's machine."""

    code = "docker_missing"
    text = "Docker isn't installed on {host}. Install it there, or start the worker with venv and without image=."


class DockerVenvConflictError(ChatOpsError):
    """A worker was asked for both with containers and without."""

    code = "docker_venv_conflict"
    text = "A worker runs in containers (docker, image=…) or without them (venv), not both. Leave out {one}."


class UnknownHostError(ChatOpsError):
    """The bot does not run on this machine."""

    code = "unknown_host"
    text = "The bot starts workers only on {host}, where it runs, and not on “{requested_host}”. Leave out host=."


class AgentFailedError(ChatOpsError):
    """clearml-agent ended without starting or stopping a worker; `reason` is the last line it wrote."""

    code = "agent_failed"
    text = "clearml-agent failed on {host}: {reason} See what's running with /worker list."


class WorkerExistsError(ChatOpsError):
    """A worker with this id already exists."""

    code = "worker_exists"
    text = "The worker {worker} ({owner}) already exists. Change its GPUs or its image with /worker restart."


class OrphanedRunError(ChatOpsError):
    """The worker's former agent died during a run, and the run still occupies the worker's GPUs."""

    code = "orphaned_run"
    text = (
        "{worker} can't start: its agent died, but “{name}” ({owner}) is still running on its GPUs. "
        "Wait until it ends, or abort it."
    )


class NoWorkerForQueueError(ChatOpsError):
    """The bot runs no worker for this queue on this host."""

    code = "no_worker_for_queue"
    text = "The bot runs no worker for {queue} on {host}. See all workers with /worker list."


class WorkerNotFoundError(ChatOpsError):
    """The bot started no worker with this id on this host."""

    code = "worker_not_found"
    text = "The bot runs no worker named “{reference}” on {host}.{nearest} See all with /worker list."


class AmbiguousWorkerError(ChatOpsError):
    """Several workers match; `worker_ids` are those to choose from, `parameter` the argument that named them."""

    code = "ambiguous_worker"
    text = "{count} workers match “{reference}”. Which one?"

    def __init__(self, *, reference: str, parameter: str, worker_ids: tuple[str, ...]) -> None:
        super().__init__(reference=reference, count=len(worker_ids))
        self.reference = reference
        self.parameter = parameter
        self.worker_ids = worker_ids


class WorkerNotYoursError(ChatOpsError):
    """The worker belongs to another person."""

    code = "worker_not_yours"
    text = "The worker {worker} belongs to {owner}. Ask {owner} or an admin."


class WorkerNotRunningError(ChatOpsError):
    """The worker has no log, because its process does not run."""

    code = "worker_not_running"
    text = "The worker {worker} isn't running, so it has no log. See its state with /worker list."


class NoGpuDriverError(ChatOpsError):
    """NVIDIA's library or driver is missing, or does not work; `reason` is its own message.

    `instead` is an alternative to checking the driver.
    """

    code = "no_gpu_driver"
    text = "No working NVIDIA driver on this machine ({reason}). Check with nvidia-smi{instead}."


class GpuNotWatchedError(ChatOpsError):
    """The conversation has no watch for this GPU, or for any."""

    code = "gpu_not_watched"
    text = "Notifications for {gpus} aren't on here. Turn them on like this: /gpus watch 1"


class GpuOwnerUnreachableError(ChatOpsError):
    """The bot does not know, or cannot message, everybody who uses the GPUs."""

    code = "gpu_owner_unreachable"
    text = (
        "The bot doesn't know everyone who uses {gpus}, so it can't ask them. Leave out --ask to see who that is."
    )


class GpuAlreadyRequestedError(ChatOpsError):
    """The same request is open already."""

    code = "gpu_already_requested"
    text = "You've already asked {owner} for {gpus}. You get notified when there's an answer."


class GpuRequestClosedError(ChatOpsError):
    """A GPU request that was answered, withdrawn, has expired, or never existed."""

    code = "gpu_request_closed"
    text = "That request is no longer open. See open ones with /worker consent."


class GpuRequestNotYoursError(ChatOpsError):
    """The request is for another person."""

    code = "gpu_request_not_yours"
    text = "That request is for {owner}. Only {owner} or an admin can answer it."


class CannotHandOverError(ChatOpsError):
    """The bot did not start the worker on the GPUs, so it does not stop it."""

    code = "cannot_hand_over"
    text = (
        "The bot didn't start what's running on {gpus}, so it can't stop it. Share with {requester}, or decline."
    )

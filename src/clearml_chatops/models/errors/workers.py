"""What keeps a worker or a GPU from being used."""

from clearml_chatops.models.errors.base import ChatOpsError


class AgentMissingError(ChatOpsError):
    """The program clearml-agent is not installed beside the bot."""

    code = "agent_missing"
    text = "clearml-agent is not installed on {host}; install it there with: pip install clearml-agent"


class DockerMissingError(ChatOpsError):
    """The program docker is not installed beside the bot."""

    code = "docker_missing"
    text = "docker is not installed on {host}; install it there, or start the worker with venv and without image=."


class DockerVenvConflictError(ChatOpsError):
    """A worker that is to run in containers and without them."""

    code = "docker_venv_conflict"
    text = "A worker runs in containers (docker, image=…) or without them (venv), not both; leave out {one}."


class UnknownHostError(ChatOpsError):
    """A machine on which the bot is not."""

    code = "unknown_host"
    text = "I start workers on {host}, the machine that I am on, and not on “{wanted}”; leave out host=."


class AgentFailedError(ChatOpsError):
    """clearml-agent ended without starting or stopping a worker; `reason` is its own last line."""

    code = "agent_failed"
    text = "clearml-agent on {host} said: {reason} /worker list shows what runs."


class WorkerExistsError(ChatOpsError):
    """A worker with this id runs already."""

    code = "worker_exists"
    text = "The worker {worker} of {owner} is there already; /worker restart changes its cards or its image."


class OrphanedRunError(ChatOpsError):
    """The worker's former agent died in mid-run, and the run still has the worker's cards."""

    code = "orphaned_run"
    text = (
        "“{name}” of {owner} still runs on the cards of {worker}, though its agent died; the worker cannot start "
        "beside it. Wait until it ends, or abort it."
    )


class NoWorkerForQueueError(ChatOpsError):
    """The bot runs no worker for this queue on this host."""

    code = "no_worker_for_queue"
    text = "No worker that I started for {queue} runs on {host}; /worker list shows what there is."


class WorkerNotFoundError(ChatOpsError):
    """No worker of this host that the bot started has this id."""

    code = "worker_not_found"
    text = "I run no worker called “{reference}” on {host}.{nearest} /worker list shows what there is."


class WorkerNotYoursError(ChatOpsError):
    """Another person's worker."""

    code = "worker_not_yours"
    text = "The worker {worker} is {owner}'s; ask {owner} or an admin."


class WorkerNotRunningError(ChatOpsError):
    """The worker has no log: its process does not run."""

    code = "worker_not_running"
    text = "The worker {worker} does not run just now, so it writes nothing; /worker list shows how it is."


class NoGpuDriverError(ChatOpsError):
    """NVIDIA's library or driver is missing, or does not work; `reason` is its own word for it.

    `instead` is what else a person may do than look.
    """

    code = "no_gpu_driver"
    text = "No NVIDIA driver answers on this machine ({reason}); look with nvidia-smi{instead}."


class GpuNotWatchedError(ChatOpsError):
    """Nobody waits here for this card, or for any."""

    code = "gpu_not_watched"
    text = "I watch {what} here; /gpus watch 1 would tell you when card 1 is free."


class GpuOwnerUnreachableError(ChatOpsError):
    """Not everybody who has the cards is known to the bot, or can be written to."""

    code = "gpu_owner_unreachable"
    text = (
        "I do not know everybody who has {cards}, so I can ask nobody; send it without --ask to see who has them."
    )


class GpuAlreadyRequestedError(ChatOpsError):
    """The same question waits for its answer."""

    code = "gpu_already_requested"
    text = "{asked} is asked for {cards} already and has not answered yet; you are told when that changes."


class GpuRequestClosedError(ChatOpsError):
    """A question about cards that was answered, taken back or has expired, or never was."""

    code = "gpu_request_closed"
    text = "That question is no longer open; /worker consent shows those that are."


class GpuRequestNotYoursError(ChatOpsError):
    """Somebody else is asked."""

    code = "gpu_request_not_yours"
    text = "{asked} is asked this, so only {asked} or an admin may answer it."


class CannotHandOverError(ChatOpsError):
    """The worker on the cards was not started by the bot, so the bot does not end it."""

    code = "cannot_hand_over"
    text = "I did not start what is on {cards}, so I cannot end it; let {asker} share, or say not now."

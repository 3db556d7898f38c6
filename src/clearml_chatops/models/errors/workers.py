"""What keeps a worker or a GPU from being used."""

from clearml_chatops.models.errors.base import ChatOpsError


class AgentMissingError(ChatOpsError):
    """The program clearml-agent is not installed beside the bot."""

    code = "agent_missing"
    text = "clearml-agent is not installed on {host}; install it there with: pip install clearml-agent"


class AgentFailedError(ChatOpsError):
    """clearml-agent ended without starting or stopping a worker; `reason` is its own last line."""

    code = "agent_failed"
    text = "clearml-agent on {host} said: {reason} Nothing was started; /worker shows what runs."


class WorkerExistsError(ChatOpsError):
    """A worker with this id runs already."""

    code = "worker_exists"
    text = "The worker {worker} already runs; stop it first with /worker stop."


class NoWorkerError(ChatOpsError):
    """The bot runs no worker for this queue on this host."""

    code = "no_worker"
    text = "No worker that I started for {queue} runs on {host}; /worker shows what there is."


class NoGpuDriverError(ChatOpsError):
    """NVIDIA's library or driver is missing, or does not work; `reason` is its own word for it."""

    code = "no_gpu_driver"
    text = "No NVIDIA driver answers on this machine ({reason}); look with nvidia-smi, or use gpus=none."

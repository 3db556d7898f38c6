"""Replies about GPU requests: one that was sent, the open ones, and an answer."""

from collections.abc import Sequence

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_time_ago
from clearml_chatops.handlers.gpu_conflicts import format_conflict, format_conflict_gpus, format_occupant
from clearml_chatops.handlers.worker_command_lines import WorkerCommandLine
from clearml_chatops.models.gpu_requests import GpuRequest, GpuRequestAnswer, GpuRequestDetails
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Text, Tone
from clearml_chatops.models.workers import RunningPolicy, WorkerSpec
from clearml_chatops.services.workers.gpu_conflicts import GpuConflict


async def request_gpus(
    context: Context,
    conflicts: tuple[GpuConflict, ...],
    spec: WorkerSpec,
    line: WorkerCommandLine,
    *,
    worker_to_restart: str | None = None,
    running_policy: RunningPolicy | None = None,
) -> Reply:
    """Ask the owners of the GPUs, and return the reply about it."""
    gpus = format_conflict_gpus(conflicts)
    details = GpuRequestDetails(
        requester_id=context.person.id,
        requester_name=context.person.name,
        conversation=context.message.conversation,
        gpu_label=gpus,
        command=str(line),
        worker_spec=spec,
        worker_id_to_restart=worker_to_restart,
        running_policy=running_policy,
    )

    def format_question(owner_conflicts: Sequence[GpuConflict]) -> str:
        if len(conflicts) == 1:
            occupant = format_occupant(context, conflicts[0])
            sentences = f"{occupant[0].upper()}{occupant[1:]}."
        else:
            sentences = " ".join(f"{format_conflict(context, conflict)}." for conflict in owner_conflicts)
        return f"{context.person.name} would like to use {gpus}. {sentences}"

    gpu_requests = await context.services.gpu_requests.create(
        details, conflicts, context.person, render_text=format_question
    )
    names = " and ".join(item.owner_name for item in gpu_requests)
    return Reply.of(
        Text(f"Asked {names} for {gpus}. You get the answer here, within a day."),
        Text("Nothing has started yet.", Tone.SUBTLE),
        Buttons((_build_withdraw_button(gpu_requests[0]),)),
    )


def build_open_requests_reply(context: Context, gpu_requests: Sequence[GpuRequest]) -> Reply:
    """Return the requests that wait for this person's answer, and those that they sent."""
    if not gpu_requests:
        return Reply.of("There are no open GPU requests to or from you.")
    rows = tuple(_build_row(context, item) for item in gpu_requests)
    buttons = [
        button
        for item in gpu_requests
        for button in (
            [_build_withdraw_button(item)]
            if item.details.requester_id == context.person.id
            else _list_answer_buttons(item)
        )
    ]
    return Reply.of(Text("Open GPU requests", Tone.HEADING), Fields(rows), Buttons(tuple(buttons)))


def build_answer_reply(context: Context, gpu_request: GpuRequest, answer: GpuRequestAnswer) -> Reply:
    """Return what happens after the answer."""
    details = gpu_request.details
    if answer is GpuRequestAnswer.SHARE:
        text = f"Accepted. {details.requester_name} shares {details.gpu_label} with you."
    elif answer is GpuRequestAnswer.HAND_OVER:
        workers = " and ".join(gpu_request.worker_ids)
        text = (
            f"Accepted. {details.requester_name} gets {details.gpu_label} when what is running on {workers} "
            "has ended. Nothing new starts there."
        )
    elif context.person.id == details.requester_id:
        text = f"Withdrew your request for {details.gpu_label}. Nothing was started."
    else:
        text = f"Declined. {details.requester_name} gets notified, and nothing changes."
    return Reply.of(Text(text, Tone.SUCCESS))


def _build_row(context: Context, gpu_request: GpuRequest) -> tuple[str, str]:
    details, time_ago = gpu_request.details, format_time_ago(gpu_request.created, context.clock())
    if details.requester_id == context.person.id:
        accepted = "accepted, waiting for other answers or for a run to end"
        state = "no answer yet" if gpu_request.answer is None else accepted
        return (f"{details.gpu_label} from {gpu_request.owner_name}", f"Requested {time_ago}, {state}")
    return (f"{details.gpu_label} for {details.requester_name}", f"Requested {time_ago}, waiting for your answer")


def _list_answer_buttons(gpu_request: GpuRequest) -> tuple[Button, ...]:
    line, name = f"/worker consent {gpu_request.token}", gpu_request.details.requester_name
    hand_over = (
        [Button("Hand over after run", f"{line} {GpuRequestAnswer.HAND_OVER}")] if gpu_request.worker_ids else []
    )
    share, decline = (
        Button(f"Share with {name}", f"{line} {GpuRequestAnswer.SHARE}"),
        Button("Decline", f"{line} {GpuRequestAnswer.DECLINE}"),
    )
    return (share, *hand_over, decline)


def _build_withdraw_button(gpu_request: GpuRequest) -> Button:
    return Button("Withdraw request", f"/worker consent {gpu_request.token} {GpuRequestAnswer.DECLINE}")

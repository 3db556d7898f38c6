"""How it reads when somebody is asked for his cards: the question, what is open, and what was answered."""

from collections.abc import Sequence

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_time_ago
from clearml_chatops.handlers.gpu_conflicts import format_conflict, format_conflict_gpus
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
    """Asks all who have the cards, and says so."""
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
        sentences = " ".join(f"{format_conflict(context, conflict)}." for conflict in owner_conflicts)
        return f"{context.person.name} asks you for {gpus}. {sentences}"

    gpu_requests = await context.services.gpu_requests.create(
        details, conflicts, context.person, render_text=format_question
    )
    names = " and ".join(item.owner_name for item in gpu_requests)
    return Reply.of(
        Text(f"{names} is asked for {gpus} and has a day to answer. You are told here what comes of it."),
        Text("Nothing is started yet.", Tone.SUBTLE),
        Buttons((_build_withdraw_button(gpu_requests[0]),)),
    )


def build_open_requests_reply(context: Context, gpu_requests: Sequence[GpuRequest]) -> Reply:
    """What waits for this person's answer, and what he has asked himself."""
    if not gpu_requests:
        return Reply.of("No question about cards is open: you are asked for none, and have asked for none.")
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
    return Reply.of(Text("Open questions about cards", Tone.HEADING), Fields(rows), Buttons(tuple(buttons)))


def build_answer_reply(context: Context, gpu_request: GpuRequest, answer: GpuRequestAnswer) -> Reply:
    """What the answer leads to."""
    details = gpu_request.details
    if answer is GpuRequestAnswer.SHARE:
        text = f"{details.requester_name} is told, and has {details.gpu_label} beside you."
    elif answer is GpuRequestAnswer.HAND_OVER:
        workers = " and ".join(gpu_request.worker_ids)
        text = f"{workers} takes nothing more, and when it has ended {details.requester_name} gets {details.gpu_label}."
    elif context.person.id == details.requester_id:
        text = f"You ask for {details.gpu_label} no more. Nothing was started."
    else:
        text = f"{details.requester_name} is told: not now. Nothing was changed."
    return Reply.of(Text(text, Tone.SUCCESS))


def _build_row(context: Context, gpu_request: GpuRequest) -> tuple[str, str]:
    details, asked_ago = gpu_request.details, format_time_ago(gpu_request.created, context.clock())
    if details.requester_id == context.person.id:
        accepted = "agreed; waits for others to agree or for a run to end"
        state = "not answered yet" if gpu_request.answer is None else accepted
        return (f"{details.gpu_label} of {gpu_request.owner_name}", f"you asked {asked_ago}: {state}")
    return (f"{details.gpu_label} for {details.requester_name}", f"you were asked {asked_ago}")


def _list_answer_buttons(gpu_request: GpuRequest) -> tuple[Button, ...]:
    line, name = f"/worker consent {gpu_request.token}", gpu_request.details.requester_name
    hand_over = (
        [Button("Hand it over after my run", f"{line} {GpuRequestAnswer.HAND_OVER}")]
        if gpu_request.worker_ids
        else []
    )
    share, decline = (
        Button(f"Let {name} share it", f"{line} {GpuRequestAnswer.SHARE}"),
        Button("Not now", f"{line} no"),
    )
    return (share, *hand_over, decline)


def _build_withdraw_button(gpu_request: GpuRequest) -> Button:
    return Button("Take the question back", f"/worker consent {gpu_request.token} {GpuRequestAnswer.DECLINE}")

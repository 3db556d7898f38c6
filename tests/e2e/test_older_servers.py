"""The main job on older servers: at the terminal and from both chats, with a real clearml-agent."""

from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_in_process
from tests.frontends.conftest import FakeSuggestions
from tests.support.agents import quick_agents
from tests.support.dialogs import DRAFT_DIALOG, MAIN_JOB_DIALOG, QUEUE_DIALOG, Answer, Turn, verify_dialog
from tests.support.platform_chats import Chat, build_bot_settings, play, wait_for_messages
from tests.support.program import run_program
from tests.support.servers import OLD_API_VERSIONS

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

WAIT = Turn("/wait completed timeout=2m", ("is Completed",))
"""Chats don't have this command; there the notifications tell."""

RESULT_DIALOG = (
    Turn("/log 12", ("gpus=1,2 lr=0.05 epochs=2",)),
    Turn("/worker stop", ("Stopped lab:alice_queue:cpu",)),
)

OLD_RUN_DIALOG = (
    Turn("/find status=failed", ("resnet50 batch 256", "Failed")),
    Turn("/enqueue “resnet50 batch 256” queue=default", ("Pending in default",)),
    Turn("/dequeue “resnet50 batch 256”", ("It's Failed again",)),
    Turn("/retry “resnet50 batch 256” queue=default", ("Pending in default",)),
    Turn("/abort “resnet50 batch 256”", ("is Aborted",)),
    Turn("/enqueue “resnet50 batch 256” queue=default", ("Pending in default",)),
    Turn("/dequeue “resnet50 batch 256”", ("It's Aborted again",)),
)
"""A run that has ended goes into a queue and out of it."""


@pytest.fixture(params=OLD_API_VERSIONS)
async def old_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    async with Sandbox(api_version=request.param) as sandbox:
        # The SDK in a run fails if it has to guess the address of the web UI.
        monkeypatch.setenv("CLEARML_WEB_HOST", sandbox.url)
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        yield sandbox


@pytest.mark.parametrize(
    "dialog",
    [(*MAIN_JOB_DIALOG, WAIT, *RESULT_DIALOG), (*DRAFT_DIALOG, *QUEUE_DIALOG), OLD_RUN_DIALOG],
    ids=["main job", "drafts and queues", "runs that ended"],
)
async def test_the_dialogs_run_at_the_terminal(
    old_sandbox: Sandbox, tmp_path: Path, dialog: tuple[Turn, ...]
) -> None:
    screen = StringIO()
    async with run_program(old_sandbox, tmp_path / "data") as program:
        front_end = ConsoleFrontEnd(
            handle=program.program.dispatcher.handle,
            registry=build_registry(),
            suggestions=FakeSuggestions(),
            user=program.identity.user_id,
            console=Console(file=screen, width=120, markup=False, emoji=False, highlight=False),
        )

        async def send(line: str) -> Answer:
            start = len(screen.getvalue())
            await front_end.run_lines([line])
            return Answer(" ".join(screen.getvalue()[start:].split()))

        await verify_dialog(send, dialog)


async def test_the_main_job_from_a_chat(old_sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    settings = build_bot_settings(
        old_sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(old_sandbox)
    )
    async with run_bot_in_process(settings):
        await play(chat, *OLD_RUN_DIALOG, *MAIN_JOB_DIALOG)
        await wait_for_messages(chat, "“on two GPUs” started on lab:alice_queue:cpu.")
        await wait_for_messages(chat, "“on two GPUs” completed after")
        await play(chat, *RESULT_DIALOG)
    assert not [text for text in chat.read_messages() if "resnet50 batch 256” failed" in text]

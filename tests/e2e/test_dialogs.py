"""The dialog tables, sent to the dispatcher and typed at the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.frontends.conftest import FakeSuggestions
from tests.support.dialogs import (
    ALERT_DIALOG,
    ALL_DIALOGS,
    DRAFT_DIALOG,
    QUEUE_DIALOG,
    QUIET_DIALOG,
    SEARCH_DIALOG,
    VALUES_DIALOG,
    VERB_DIALOG,
    WATCH_DIALOG,
    Answer,
    Turn,
    verify_dialog,
)
from tests.support.program import RunningProgram, to_plain_text


@pytest.fixture(autouse=True)
def _experiments(sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)


@pytest.mark.parametrize(
    "dialog",
    [
        SEARCH_DIALOG,
        (*DRAFT_DIALOG, *QUEUE_DIALOG),
        VALUES_DIALOG,
        WATCH_DIALOG,
        ALERT_DIALOG,
        QUIET_DIALOG,
        VERB_DIALOG,
    ],
    ids=["searches", "drafts and queues", "values", "watches", "alerts", "quiet", "verbs"],
)
async def test_each_dialog_matches_its_table(program: RunningProgram, dialog: tuple[Turn, ...]) -> None:
    async def send(line: str) -> Answer:
        reply = await program.send(line)
        return Answer(to_plain_text(reply), reply.outcome)

    await verify_dialog(send, dialog)


async def test_all_dialogs_run_at_the_terminal(program: RunningProgram) -> None:
    screen = StringIO()
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
        # The terminal wraps sentences.
        return Answer(" ".join(screen.getvalue()[start:].split()))

    await verify_dialog(send, ALL_DIALOGS)

"""The dialog tables, spoken straight to the dispatcher and at the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.frontends.conftest import FakeNames
from tests.support.dialogs import ALERTING, ALL, DRAFTING, QUEUEING, QUIET, WATCHING, Answer, Turn, verify_dialog
from tests.support.program import RunningProgram, plain_text


@pytest.fixture(autouse=True)
def _experiments(sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)


@pytest.mark.parametrize(
    "dialog",
    [(*DRAFTING, *QUEUEING), WATCHING, ALERTING, QUIET],
    ids=["drafts and queues", "watches", "alerts", "quiet"],
)
async def test_a_dialog_goes_as_its_table_says(program: RunningProgram, dialog: tuple[Turn, ...]) -> None:
    async def say(line: str) -> Answer:
        reply = await program.say(line)
        return Answer(plain_text(reply), reply.outcome)

    await verify_dialog(say, dialog)


async def test_all_dialogs_run_at_the_terminal(program: RunningProgram) -> None:
    screen = StringIO()
    front_end = ConsoleFrontEnd(
        handle=program.program.dispatcher.handle,
        registry=all_commands(),
        names=FakeNames(),
        user=program.identity.user_id,
        console=Console(file=screen, width=120, markup=False, emoji=False, highlight=False),
    )

    async def say(line: str) -> Answer:
        before = len(screen.getvalue())
        await front_end.run_lines([line])
        # A sentence goes over several lines there.
        return Answer(" ".join(screen.getvalue()[before:].split()))

    await verify_dialog(say, ALL)

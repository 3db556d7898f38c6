"""The dialog tables, spoken straight to the dispatcher."""

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.dialogs import ALERTING, DRAFTING, QUEUEING, QUIET, WATCHING, Answer, Turn, verify_dialog
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

"""The dialog tables, spoken straight to the dispatcher."""

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.dialogs import ALERTING, DRAFTING, QUEUEING, QUIET, Answer, verify_dialog
from tests.support.program import RunningProgram, plain_text


@pytest.fixture(autouse=True)
def _experiments(sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)


async def test_a_draft_goes_through_the_queue_and_its_person_wants_quiet(program: RunningProgram) -> None:
    async def say(line: str) -> Answer:
        reply = await program.say(line)
        return Answer(plain_text(reply), reply.outcome)

    await verify_dialog(say, (*DRAFTING, *QUEUEING, *QUIET))


async def test_alerts_are_set_listed_and_taken_back(program: RunningProgram) -> None:
    async def say(line: str) -> Answer:
        reply = await program.say(line)
        return Answer(plain_text(reply), reply.outcome)

    await verify_dialog(say, ALERTING)

"""Lines that must be refused, in one readable sentence, with nothing changed."""

from copy import deepcopy
from typing import Any

from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, plain_text


def contents(sandbox: Sandbox) -> tuple[Any, ...]:
    """All that a command could have changed at the server."""
    state = sandbox.state
    return deepcopy((state.tasks, state.queues, state.projects, state.events))


async def refused(program: RunningProgram, line: str, code: str) -> Reply:
    """The reply to a line that must be refused with this code, in one readable text, and change nothing."""
    before = contents(program.sandbox)
    reply = await program.say(line)
    assert contents(program.sandbox) == before, f"{line} changed something"
    entry = (await program.program.process.audit.last(1))[0]
    assert (entry.error_code, reply.outcome) == (code, Outcome.REFUSED), plain_text(reply)
    sentence = plain_text(reply).splitlines()[0]
    assert sentence.endswith((".", "…", "]", "…>")), sentence
    assert len(sentence) < 700
    assert "{" not in sentence
    return reply

"""Lines that must be refused, in one readable sentence, with nothing changed."""

from copy import deepcopy
from typing import Any

from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, to_plain_text


def copy_server_state(sandbox: Sandbox) -> tuple[Any, ...]:
    """All that a command could have changed at the server."""
    state = sandbox.state
    return deepcopy((state.tasks, state.queues, state.projects, state.events))


async def assert_refused(program: RunningProgram, line: str, code: str) -> Reply:
    """The reply to a line that must be refused with this code, in one readable text, and change nothing."""
    before = copy_server_state(program.sandbox)
    reply = await program.send(line)
    assert copy_server_state(program.sandbox) == before, f"{line} changed something"
    entry = (await program.program.process.audit.list_recent(1))[0]
    assert (entry.error_code, reply.outcome) == (code, Outcome.REFUSED), to_plain_text(reply)
    first_line = to_plain_text(reply).splitlines()[0]
    assert first_line.endswith((".", "…", "]", "…>")), first_line
    assert len(first_line) < 700
    assert "{" not in first_line
    return reply

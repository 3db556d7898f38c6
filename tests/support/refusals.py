"""Checks of lines that must be refused with a readable error and without changing anything."""

from copy import deepcopy
from typing import Any

from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, to_plain_text


def copy_server_state(sandbox: Sandbox) -> tuple[Any, ...]:
    """Return a copy of everything that a command could change on the server."""
    state = sandbox.state
    return deepcopy((state.tasks, state.queues, state.projects, state.events))


async def assert_refused(program: RunningProgram, line: str, code: str) -> Reply:
    """Send a line that must be refused with this code, with a readable text and no change. Return the reply."""
    state_before = copy_server_state(program.sandbox)
    reply = await program.send(line)
    assert copy_server_state(program.sandbox) == state_before, f"{line} changed something"
    entry = (await program.program.process.audit.list_recent(1))[0]
    assert (entry.error_code, reply.outcome) == (code, Outcome.REFUSED), to_plain_text(reply)
    first_line = to_plain_text(reply).splitlines()[0]
    assert first_line.endswith((".", "?", "…", "]", "…>")), first_line
    assert len(first_line) < 700
    assert "{" not in first_line
    return reply

"""The running commands at shutdown: whatever still waits for its turn is answered, too."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.frontends.slack.running_commands import STOPPED_REPLY, RunningCommands
from clearml_chatops.bot.frontends.slack.timing import DEFAULT_TIMING
from clearml_chatops.models.replies import Reply
from clearml_chatops.models.requests import RequestState

_ANSWERED_TOGETHER = 4


class NewRequests:
    """Requests that are all new."""

    async def begin(self, _platform: str, _keys: Sequence[str]) -> RequestState:
        return RequestState.NEW

    async def finish(self, _platform: str, _keys: Sequence[str]) -> None:
        pass


async def test_the_waiting_commands_of_one_person_are_answered_together_at_shutdown() -> None:
    commands = RunningCommands(replace(DEFAULT_TIMING, shutdown_timeout=timedelta(0)), NewRequests())
    all_answers_began = asyncio.Barrier(_ANSWERED_TOGETHER)
    first_began = asyncio.Event()
    replies: list[Reply] = []
    carried_out: list[int] = []

    async def answer(number: int) -> None:
        async def never_end() -> Reply:
            carried_out.append(number)
            first_began.set()
            return await asyncio.Future()

        reply = await commands.wait_for_reply(never_end)
        # Slack takes as long as it takes for all: one after the other they would be too late.
        await all_answers_began.wait()
        replies.append(reply)

    async def show(_reply: Reply) -> None:
        raise AssertionError

    for number in range(_ANSWERED_TOGETHER):
        commands.start((str(number),), partial(answer, number), show=show, order_key="U1")
    await first_began.wait()
    await commands.finish()
    assert replies == [STOPPED_REPLY] * _ANSWERED_TOGETHER
    assert carried_out == [0], "the others never began"

"""The background loops: they go on after trouble, and end without leaving anything half-done."""

import asyncio
import logging
from datetime import timedelta

import pytest

from clearml_chatops.bot.loops import Loop, looping
from clearml_chatops.models.errors import ClearMLBrokenError
from clearml_chatops.services.bells import Bell
from tests.support.waiting import until

AT_ONCE = timedelta(0)


async def test_trouble_is_logged_once_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times in {2, 3, 4, 6}:
            raise ClearMLBrokenError(host="clearml.example", status=500, endpoint="tasks.get_all_ex")
        if times == 8:
            raise ZeroDivisionError

    with caplog.at_level(logging.WARNING):
        async with looping([Loop(work, AT_ONCE, "It cannot be done")], asyncio.Event()):
            await until(lambda: times > 8)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert {record.message.startswith("It cannot be done") for record in caplog.records} == {True}


async def test_what_is_being_done_is_finished() -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), False

    async def work() -> None:
        nonlocal done
        begun.set()
        await may_end.wait()
        done = True

    stopping = asyncio.Event()
    async with looping([Loop(work, AT_ONCE, "")], stopping):
        await begun.wait()
        # It may end only once the end of the loops has begun.
        waiting = asyncio.create_task(_set_after(stopping, may_end))
    await waiting
    assert done


async def test_what_does_not_end_is_cancelled() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with looping([Loop(work, AT_ONCE, "")], asyncio.Event()):
        await begun.wait()


async def test_a_bell_ends_the_pause_and_one_that_rings_during_the_work_is_heard_afterwards() -> None:
    bell = Bell()
    times = 0
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        nonlocal times
        times += 1
        begun.set()
        await may_end.wait()

    stopping = asyncio.Event()
    async with looping([Loop(work, timedelta(days=1), "", wake=bell.listener())], stopping):
        bell.ring()
        await begun.wait()
        bell.ring()
        bell.ring()
        may_end.set()
        await until(lambda: times == 2)
        await asyncio.sleep(0)
        assert times == 2


async def _set_after(first: asyncio.Event, then: asyncio.Event) -> None:
    await first.wait()
    then.set()

"""The background loops: they continue after errors, and finish the work in progress at the end."""

import asyncio
import logging
from datetime import timedelta

import pytest

from clearml_chatops.bot.loops import Loop, run_loops
from clearml_chatops.models.errors import ClearMLServerError
from clearml_chatops.services.wakeups import Wakeup
from tests.support.polling import wait_until

NO_PAUSE = timedelta(0)


async def test_a_failure_is_logged_once_and_retried(caplog: pytest.LogCaptureFixture) -> None:
    run_count = 0

    async def work() -> None:
        nonlocal run_count
        run_count += 1
        if run_count in {2, 3, 4, 6}:
            raise ClearMLServerError(host="clearml.example", status=500, endpoint="tasks.get_all_ex")
        if run_count == 8:
            raise ZeroDivisionError

    with caplog.at_level(logging.WARNING):
        async with run_loops([Loop(work, NO_PAUSE, "Can't do it")], asyncio.Event()):
            await wait_until(lambda: run_count > 8)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert {record.message.startswith("Can't do it") for record in caplog.records} == {True}


async def test_work_in_progress_is_finished() -> None:
    started, may_end, done = asyncio.Event(), asyncio.Event(), False

    async def work() -> None:
        nonlocal done
        started.set()
        await may_end.wait()
        done = True

    stop_event = asyncio.Event()
    async with run_loops([Loop(work, NO_PAUSE, "")], stop_event):
        await started.wait()
        # The work ends only after the loops have started to stop.
        release_task = asyncio.create_task(_set_after(stop_event, may_end))
    await release_task
    assert done


async def test_work_that_does_not_end_is_cancelled() -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    async with run_loops([Loop(work, NO_PAUSE, "")], asyncio.Event()):
        await started.wait()


async def test_a_wakeup_ends_the_pause_even_if_set_during_work() -> None:
    wakeup = Wakeup()
    run_count = 0
    started, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        nonlocal run_count
        run_count += 1
        started.set()
        await may_end.wait()

    stop_event = asyncio.Event()
    async with run_loops([Loop(work, timedelta(days=1), "", wake_event=wakeup.subscribe())], stop_event):
        wakeup.wake()
        await started.wait()
        wakeup.wake()
        wakeup.wake()
        may_end.set()
        await wait_until(lambda: run_count == 2)
        await asyncio.sleep(0)
        assert run_count == 2


async def _set_after(first: asyncio.Event, then: asyncio.Event) -> None:
    await first.wait()
    then.set()

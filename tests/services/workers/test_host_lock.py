"""One at a time, in this program and beside it."""

import asyncio
from pathlib import Path

import pytest

from clearml_chatops.services.workers.host_lock import HostLock


async def test_two_programs_are_never_inside_at_once(tmp_path: Path) -> None:
    inside, most = 0, 0

    async def enter(lock: HostLock) -> None:
        nonlocal inside, most
        async with lock.held():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    one, another = HostLock(tmp_path / "agents" / ".lock"), HostLock(tmp_path / "agents" / ".lock")
    await asyncio.gather(*(enter(lock) for lock in (one, another, one, another)))
    assert most == 1
    assert not one.is_held_here


async def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / ".lock")

    async def fail() -> None:
        async with lock.held():
            assert lock.is_held_here
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await fail()
    async with HostLock(tmp_path / ".lock").held():
        assert not lock.is_held_here

"""The host lock, within this program and between programs."""

import asyncio
from pathlib import Path

import pytest

from clearml_chatops.services.workers.host_lock import HostLock


async def test_lock_excludes_other_programs(tmp_path: Path) -> None:
    holders, max_holders = 0, 0

    async def enter(lock: HostLock) -> None:
        nonlocal holders, max_holders
        async with lock.acquire():
            holders += 1
            max_holders = max(max_holders, holders)
            await asyncio.sleep(0)
            holders -= 1

    one, another = HostLock(tmp_path / "agents" / ".lock"), HostLock(tmp_path / "agents" / ".lock")
    await asyncio.gather(*(enter(lock) for lock in (one, another, one, another)))
    assert max_holders == 1
    assert not one.is_locked_by_this_process


async def test_lock_is_released_after_an_error(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / ".lock")

    async def fail() -> None:
        async with lock.acquire():
            assert lock.is_locked_by_this_process
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await fail()
    async with HostLock(tmp_path / ".lock").acquire():
        assert not lock.is_locked_by_this_process

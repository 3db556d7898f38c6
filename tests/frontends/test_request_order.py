"""The order of requests: in line for one person, in parallel for different people."""

import asyncio

import pytest

from clearml_chatops.bot.frontends.request_order import RequestOrder


class Office:
    """Requests that record when their turn comes, and end when they are told to."""

    def __init__(self) -> None:
        self.order = RequestOrder()
        self.seen: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    def enter(self, name: str, *, person: str = "anna") -> "asyncio.Task[None]":
        self.ends[name] = asyncio.Event()
        return asyncio.create_task(self._visit(name, person))

    async def _visit(self, name: str, person: str) -> None:
        with self.order.queue_up(person) as place:
            await place.wait_for_turn()
            self.seen.append(name)
            await self.ends[name].wait()


@pytest.fixture
def office() -> Office:
    return Office()


async def let_all_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_requests_of_one_person_run_one_after_the_other(office: Office) -> None:
    visits = [office.enter(name) for name in ("first", "second", "third")]
    await let_all_run()
    assert office.seen == ["first"]
    office.ends["second"].set()
    await let_all_run()
    assert office.seen == ["first"]
    office.ends["first"].set()
    await let_all_run()
    assert office.seen == ["first", "second", "third"]
    office.ends["third"].set()
    await asyncio.gather(*visits)


async def test_different_people_do_not_wait_for_each_other(office: Office) -> None:
    visits = [office.enter("anna's"), office.enter("boris's", person="boris")]
    await let_all_run()
    assert office.seen == ["anna's", "boris's"]
    for visit in visits:
        visit.cancel()


async def test_one_that_gives_up_while_it_waits_lets_nobody_overtake(office: Office) -> None:
    first, second, third = (office.enter(name) for name in ("first", "second", "third"))
    await let_all_run()
    second.cancel()
    await let_all_run()
    assert office.seen == ["first"]
    first.cancel()
    await let_all_run()
    assert office.seen == ["first", "third"]
    third.cancel()


async def test_one_that_never_waits_for_its_turn_keeps_nobody_waiting(office: Office) -> None:
    with office.order.queue_up("anna"):
        visit = office.enter("next")
        await let_all_run()
        assert office.seen == []
    await let_all_run()
    assert office.seen == ["next"]
    visit.cancel()


async def test_a_line_without_requests_takes_no_memory(office: Office) -> None:
    for number in range(3):
        visit = office.enter("only", person=str(number))
        await let_all_run()
        office.ends["only"].set()
        await visit
    del visit
    assert dict(office.order._last_places) == {}

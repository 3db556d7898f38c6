"""/gpus watch: told once when a card has been free for as long as was asked."""

from datetime import timedelta

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.services.workers.card_watching import CardWatching
from tests.support.nvml import GIBIBYTE, FakeCard, FakeProcess, put_in
from tests.support.program import RunningProgram, buttons, plain_text


async def _look(program: RunningProgram, *, later: timedelta = timedelta(0)) -> list[str]:
    """What is told after a look at a later moment."""
    process = program.program.process
    began = process.clock() - timedelta(hours=1)
    watching = CardWatching(
        reader=process.gpu_reader,
        database=process.database,
        host="lab",
        clock=lambda: began + later,
        news=process.news,
    )
    await watching.look()
    return await program.listen()


async def test_a_card_is_told_of_once_when_its_processes_are_gone(program: RunningProgram) -> None:
    card = FakeCard("GPU-1", processes=[FakeProcess(4711)])
    put_in(program, FakeCard("GPU-0"), card)
    assert "I tell you here when card 1 is free: nobody is on it." in await program.ask("/gpus watch GPU-1")
    assert await _look(program) == []

    card.processes, card.used = [], GIBIBYTE
    news = program.program.process.news.listener()
    (told,) = await _look(program)
    assert news.is_set(), "it is delivered at once"

    assert "Card 1 of lab is free, with 79 GiB." in told
    assert '[Start my worker there] /worker start gpus="1"' in told
    assert await _look(program) == []


async def test_enough_memory_for_long_enough(program: RunningProgram) -> None:
    card = FakeCard("GPU-0", used=70 * GIBIBYTE, processes=[FakeProcess(4711)])
    put_in(program, card)
    said = await program.ask("/gpus watch 0 mem=20G for=5m")
    assert "20.0 GiB of its memory are free, for 5 min" in said
    card.used = 50 * GIBIBYTE
    assert await _look(program) == []
    assert await _look(program, later=timedelta(minutes=4)) == []
    card.used = 70 * GIBIBYTE  # taken in between: it begins anew
    assert await _look(program, later=timedelta(minutes=5)) == []
    card.used = 50 * GIBIBYTE
    assert await _look(program, later=timedelta(minutes=6)) == []
    assert await _look(program, later=timedelta(minutes=10)) == []
    (told,) = await _look(program, later=timedelta(minutes=12))
    assert "Card 0 of lab is free, with 30 GiB." in told


async def test_nobody_waits_so_the_driver_is_not_asked(program: RunningProgram) -> None:
    nvml = put_in(program, FakeCard("GPU-0"))
    await program.program.process.card_watching.look()
    assert nvml.opened == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/gpus watch 9", "“9” is not a card of this machine"),
        ("/gpus watch 0,1", "“0,1” is not one card"),
        ("/gpus watch none", "“none” is not one card"),
        ("/gpus watch 0 mem=500G", "“500G” is not memory that the card has; the card has 80G."),
        ("/gpus watch 0 mem=much", "write it like 20G or 500M."),
    ],
)
async def test_what_cannot_be_watched_is_one_sentence(program: RunningProgram, line: str, sentence: str) -> None:
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    assert sentence in plain_text(await program.say(line))


async def test_without_a_driver_there_is_nothing_to_watch(program: RunningProgram) -> None:
    assert await program.error_code("/gpus watch 0") == "no_gpu_driver"


async def test_what_is_watched_is_shown_and_can_be_ended(program: RunningProgram) -> None:
    put_in(program, *(FakeCard(f"GPU-{index}aaaa", processes=[FakeProcess(4711)]) for index in range(3)))
    assert "No card is watched here" in await program.ask("/gpus watch")
    assert await program.error_code("/gpus unwatch") == "card_not_watched"
    await program.ask("/gpus watch 2 mem=20G")
    first = await program.say("/gpus watch 1 for=5m")
    assert buttons(first)["Do not watch card 1"] == "/gpus unwatch 1"

    watched = await program.say(buttons(first)["What is watched here"])
    assert plain_text(watched).splitlines()[:3] == [
        "2 cards watched here",
        "card 1: I tell you when nobody is on it, for 5 min",
        "card 2: I tell you when 20.0 GiB of its memory are free",
    ]
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    assert await bob.error_code("/gpus unwatch 1") == "card_not_watched", "what others watch is theirs"

    assert "Not watched here any more: card 1." in await program.ask("/gpus unwatch GPU-1")
    assert "I watch no card 0 here" in plain_text(await program.say("/gpus unwatch 0"))
    assert "Not watched here any more: card 2." in await program.ask("/gpus unwatch")
    assert await _look(program) == []


async def test_a_watch_ends_also_without_a_driver(program: RunningProgram) -> None:
    put_in(program, FakeCard("GPU-0"))
    await program.ask("/gpus watch 0")
    program.program.process.__dict__.pop("gpu_reader")
    assert "Not watched here any more: card 0." in await program.ask("/gpus unwatch 0")

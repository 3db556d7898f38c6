"""What Tab offers for what stands before the cursor."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from clearml_chatops.bot.frontends.console.completion import CommandCompleter
from clearml_chatops.bot.frontends.console.names import RememberedNames
from tests.frontends.conftest import FakeNames, small_registry


async def offered(line: str, names: FakeNames) -> list[str]:
    """The lines that choosing each of the completions would make."""
    remembered = RememberedNames(names)
    remembered.renew()
    await remembered.renewed()
    completer = CommandCompleter(small_registry(), remembered)
    return [
        line[: len(line) + item.start_position] + item.text
        for item in completer.get_completions(Document(line), CompleteEvent(completion_requested=True))
    ]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("/cl", ["/clone"]),
        ("cl", ["/clone"]),
        ("/se", ["/set"]),
        ("/qu", ["/queue"]),
        ("/ex", ["/exit"]),
        ("/nothing", []),
        ("/nothing ", []),
        ("/queue ", ["/queue move", "/queue queue="]),
        ("/queue m", ["/queue move"]),
        ("/queue queue=", ["/queue queue=anna_queue", '/queue queue="two words"']),
        ("/queue queue=an", ["/queue queue=anna_queue"]),
        ("/queue --queue=an", ["/queue --queue=anna_queue"]),
        ("/queue nosuch=an", []),
        ("/queue queue=anna_queue ", []),
        ("/clone ba", ["/clone 3f2a9c1e", "/clone 81c0aa12"]),
        ("/clone 81", ["/clone 81c0aa12"]),
        ("/clone la", ["/clone last"]),
        ("/clone 81c0aa12 ", ["/clone 81c0aa12 project="]),
        ("/queue move 81c0aa12 ", ["/queue move 81c0aa12 front", "/queue move 81c0aa12 back"]),
        ("/queue_move 81c0aa12 f", ["/queue_move 81c0aa12 front"]),
        ("/find status=p", ["/find status=pending", "/find status=published", "/find status=completed"]),
        ("/find status=comp", ["/find status=completed"]),
        ("/abort 81c0aa12 --", ["/abort 81c0aa12 --yes"]),
        ("/abort 81c0aa12 --yes ", []),
        ("/help qu", ["/help queue", "/help queue_move"]),
        ("/find mi", ["/find mine"]),
        ("/find mine ", ["/find mine status="]),
        ("/set lr", ["/set args.lr="]),
        ("/set args.lr=0.1 SEED", ["/set args.lr=0.1 general.seed="]),
        ("/set args.lr=0.", []),
        ("/unset args.lr args.g", ["/unset args.lr args.gpus"]),
        ('/clone "open quote ', []),
    ],
)
async def test_tab_offers(line: str, lines: list[str], names: FakeNames) -> None:
    assert await offered(line, names) == lines


async def test_names_that_begin_so_come_before_those_that_hold_it(names: FakeNames) -> None:
    names.known_queues = ["the_default", "default"]

    assert await offered("/queue queue=def", names) == ["/queue queue=default", "/queue queue=the_default"]


async def test_a_name_that_cannot_be_typed_is_not_offered(names: FakeNames) -> None:
    names.known_queues = ["evil\nname", "turned\u202ename", 'with "quotes" and \\']

    assert await offered("/queue queue=", names) == ['/queue queue="with \\"quotes\\" and \\\\"']


async def test_names_of_others_are_made_visible_in_the_menu(names: FakeNames) -> None:
    remembered = RememberedNames(names)
    remembered.renew()
    await remembered.renewed()
    completer = CommandCompleter(small_registry(), remembered)

    offers = list(completer.get_completions(Document("/clone 99"), CompleteEvent()))

    assert [offer.display_meta_text for offer in offers] == ["evil⏎name"]


async def test_where_names_cannot_be_had_commands_are_still_completed(names: FakeNames) -> None:
    names.fails = True

    assert await offered("/clone ", names) == ["/clone last", "/clone project="]
    assert await offered("/queue queue=an", names) == ["/queue queue=anna_queue"]


async def test_names_outlive_a_failure(names: FakeNames) -> None:
    remembered = RememberedNames(names)
    remembered.renew()
    await remembered.renewed()

    names.fails = True
    remembered.renew()
    await remembered.renewed()

    assert ("3f2a9c1e", "baseline") in remembered.now.experiments


async def test_typing_asks_for_names_once_in_a_while_only(names: FakeNames) -> None:
    now = 100.0
    remembered = RememberedNames(names, clock=lambda: now)
    completer = CommandCompleter(small_registry(), remembered)

    for seconds_later in (0.0, 1.0, 2.0, 6.0):
        now = 100.0 + seconds_later
        list(completer.get_completions(Document("/clone "), CompleteEvent()))
        await remembered.renewed()

    assert names.asked == 2

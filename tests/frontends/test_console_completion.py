"""The completions that Tab offers for the text before the cursor."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from clearml_chatops.bot.frontends.console.completion import CommandCompleter
from clearml_chatops.bot.frontends.console.name_cache import NameCache
from tests.frontends.conftest import FakeSuggestions, build_small_registry


async def list_completions(line: str, suggestions: FakeSuggestions) -> list[str]:
    """Return the line that each completion would make."""
    name_cache = NameCache(suggestions)
    name_cache.refresh()
    await name_cache.wait_for_refresh()
    completer = CommandCompleter(build_small_registry(), name_cache)
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
async def test_tab_offers(line: str, lines: list[str], suggestions: FakeSuggestions) -> None:
    assert await list_completions(line, suggestions) == lines


async def test_prefix_matches_come_first(suggestions: FakeSuggestions) -> None:
    suggestions.known_queues = ["the_default", "default"]

    assert await list_completions("/queue queue=def", suggestions) == [
        "/queue queue=default",
        "/queue queue=the_default",
    ]


async def test_a_name_that_cannot_be_typed_is_not_offered(suggestions: FakeSuggestions) -> None:
    suggestions.known_queues = ["evil\nname", "turned\u202ename", 'with "quotes" and \\']

    assert await list_completions("/queue queue=", suggestions) == ['/queue queue="with \\"quotes\\" and \\\\"']


async def test_a_parameter_with_a_space_is_quoted_in_front_of_its_value(suggestions: FakeSuggestions) -> None:
    suggestions.known_parameters = ["my section.a b"]

    assert await list_completions("/set my", suggestions) == ['/set "my section.a b"=']


async def test_names_are_sanitized_in_the_menu(suggestions: FakeSuggestions) -> None:
    name_cache = NameCache(suggestions)
    name_cache.refresh()
    await name_cache.wait_for_refresh()
    completer = CommandCompleter(build_small_registry(), name_cache)

    offers = list(completer.get_completions(Document("/clone 99"), CompleteEvent()))

    assert [offer.display_meta_text for offer in offers] == ["evil⏎name"]


async def test_commands_are_completed_when_names_fail(suggestions: FakeSuggestions) -> None:
    suggestions.fails = True

    assert await list_completions("/clone ", suggestions) == ["/clone last", "/clone project="]
    assert await list_completions("/queue queue=an", suggestions) == ["/queue queue=anna_queue"]


async def test_names_are_kept_after_a_failure(suggestions: FakeSuggestions) -> None:
    name_cache = NameCache(suggestions)
    name_cache.refresh()
    await name_cache.wait_for_refresh()

    suggestions.fails = True
    name_cache.refresh()
    await name_cache.wait_for_refresh()

    assert ("3f2a9c1e", "baseline") in name_cache.current.experiments


async def test_typing_does_not_refresh_fresh_names(suggestions: FakeSuggestions) -> None:
    now = 100.0
    name_cache = NameCache(suggestions, clock=lambda: now)
    completer = CommandCompleter(build_small_registry(), name_cache)

    for seconds_later in (0.0, 1.0, 2.0, 6.0):
        now = 100.0 + seconds_later
        list(completer.get_completions(Document("/clone "), CompleteEvent()))
        await name_cache.wait_for_refresh()

    assert suggestions.request_count == 2

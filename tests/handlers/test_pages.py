"""Lists in pages: what stands on each, and the buttons to the others."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.lines import Word, join_words
from clearml_chatops.models.replies import Button, Buttons, Reply, Table
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, buttons, plain_text

TURNS = {"‹ Back", "Next ›"}


@pytest.fixture
def many(sandbox: Sandbox) -> None:
    now = sandbox.state.now()
    for number in range(43):
        sandbox.state.add_task(
            f"run {number:02}", user=sandbox.alice.id, last_update=now - timedelta(seconds=number)
        )


@pytest.fixture
def wide(sandbox: Sandbox) -> Document:
    """An experiment with more parameters than a page has."""
    task = sandbox.state.add_task("wide", user=sandbox.alice.id)
    task["hyperparams"] = {
        "Args": {f"p{n:02}": {"section": "Args", "name": f"p{n:02}", "value": str(n)} for n in range(65)}
    }
    return task


def names(reply: Reply, column: int = 1) -> list[str]:
    return [row[column] for block in reply.blocks if isinstance(block, Table) for row in block.rows]


def turns(reply: Reply) -> dict[str, Button]:
    blocks = (block for block in reply.blocks if isinstance(block, Buttons))
    return {button.label: button for block in blocks for button in block.buttons if button.label in TURNS}


@pytest.mark.usefixtures("many")
async def test_find_turns_pages_in_place_to_the_last_and_back(program: RunningProgram) -> None:
    seen: list[str] = []
    line = "/find run"
    for shown in ("1–10, and more", "11–20, and more", "21–30, and more", "31–40, and more", "41–43 of 43"):
        program.sandbox.requests.clear()
        reply = await program.say(line)
        assert len(program.sandbox.requests.names()) == 1
        assert shown in plain_text(reply)
        seen += names(reply)
        assert all(button.in_place for button in turns(reply).values())
        line = turns(reply)["Next ›"].command if "Next ›" in turns(reply) else ""
    assert line == ""
    assert seen == [f"run {number:02}" for number in range(43)]
    assert names(await program.say(turns(reply)["‹ Back"].command)) == seen[30:40]


@pytest.mark.usefixtures("many")
async def test_every_row_has_a_button_that_shows_it(program: RunningProgram) -> None:
    shown = buttons(await program.say("/find run page=2"))
    assert [label for label in shown if label not in TURNS] == [f"run {number}" for number in range(10, 20)]
    assert "run 12" in await program.ask(shown["run 12"])


async def test_a_list_that_fits_has_no_pages(program: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(10):
        sandbox.state.add_task(f"run {number}", user=sandbox.alice.id)
    reply = await program.say("/find run")
    assert turns(reply) == {}
    assert "1–10" not in plain_text(reply)


@pytest.mark.usefixtures("many")
async def test_a_page_too_far_says_so_and_leads_back(program: RunningProgram) -> None:
    reply = await program.say("/find run page=9")
    assert "There is no page 9." in plain_text(reply)
    assert set(turns(reply)) == {"‹ Back"}
    for line in ("/find page=0", "/find page=x", "/find page=-1", "/find page=99999"):
        assert await program.error_code(line) == "invalid_value"


async def test_the_next_page_is_found_by_the_same_words(program: RunningProgram, sandbox: Sandbox) -> None:
    project = sandbox.state.add_project("deep vision", user=sandbox.alice.id)["id"]
    for number in range(12):
        for status in ("completed", "failed"):
            sandbox.state.add_task(
                f"it's “mine” a=b {number}", user=sandbox.alice.id, project=project, status=status
            )
    text = join_words([Word("it's “mine” a=b", quoted=True)])
    line = f'/find {text} project="deep vision" status=failed mine'
    first = await program.say(line)
    second = await program.say(turns(first)["Next ›"].command)
    assert len({*names(first, 0), *names(second, 0)}) == 12
    assert {*names(first, 2), *names(second, 2)} == {"Failed"}
    assert "11–12 of 12" in plain_text(second)


async def test_many_parameters_come_in_pages_with_their_number(program: RunningProgram, wide: Document) -> None:
    await program.ask("/use wide")
    first = await program.say("/params")
    assert (len(names(first, 0)), "1–30 of 65" in plain_text(first)) == (30, True)
    await program.ask(f"/use {program.sandbox.state.add_task('other', user=program.sandbox.alice.id)['id']}")
    second = await program.say(turns(first)["Next ›"].command)
    assert names(second, 0)[0] == "Args/p30"
    third = await program.say(turns(second)["Next ›"].command)
    assert (names(third, 0)[-1], "61–65 of 65" in plain_text(third)) == ("Args/p64", True)
    assert set(turns(third)) == {"‹ Back"}
    assert "There is no page 4." in await program.ask(f"/params id={wide['id']} page=4")


async def test_the_filter_of_parameters_holds_on_every_page(program: RunningProgram, wide: Document) -> None:
    await program.ask("/use wide")
    few = await program.say("/params p1")
    assert (len(names(few, 0)), turns(few)) == (10, {})
    first = await program.say("/params Args/p")
    second = await program.say(turns(first)["Next ›"].command)
    assert names(second, 0)[0] == "Args/p30"

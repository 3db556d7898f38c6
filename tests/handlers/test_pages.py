"""Paged lists: what each page shows, and the buttons to the others."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.models.replies import Button, Buttons, Reply, Table
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, to_plain_text

NAVIGATION_LABELS = {"‹ Back", "Next ›"}


@pytest.fixture
def many_experiments(sandbox: Sandbox) -> None:
    now = sandbox.state.now()
    for number in range(43):
        sandbox.state.add_task(
            f"run {number:02}", user=sandbox.alice.id, last_update=now - timedelta(seconds=number)
        )


@pytest.fixture
def task_with_many_parameters(sandbox: Sandbox) -> Document:
    """An experiment with more parameters than fit on a page."""
    task = sandbox.state.add_task("wide", user=sandbox.alice.id)
    task["hyperparams"] = {
        "Args": {f"p{n:02}": {"section": "Args", "name": f"p{n:02}", "value": str(n)} for n in range(65)}
    }
    return task


def list_column(reply: Reply, column: int = 1) -> list[str]:
    return [row[column] for block in reply.blocks if isinstance(block, Table) for row in block.rows]


def get_navigation_buttons(reply: Reply) -> dict[str, Button]:
    blocks = (block for block in reply.blocks if isinstance(block, Buttons))
    return {
        button.label: button for block in blocks for button in block.buttons if button.label in NAVIGATION_LABELS
    }


@pytest.mark.usefixtures("many_experiments")
async def test_find_pages_forward_and_back_in_place(program: RunningProgram) -> None:
    seen: list[str] = []
    line = "/find run"
    for shown in ("1–10, and more", "11–20, and more", "21–30, and more", "31–40, and more", "41–43 of 43"):
        program.sandbox.requests.clear()
        reply = await program.send(line)
        assert len(program.sandbox.requests.list_endpoints()) == 1
        assert shown in to_plain_text(reply)
        seen += list_column(reply)
        assert all(button.in_place for button in get_navigation_buttons(reply).values())
        line = get_navigation_buttons(reply)["Next ›"].command if "Next ›" in get_navigation_buttons(reply) else ""
    assert line == ""
    assert seen == [f"run {number:02}" for number in range(43)]
    assert list_column(await program.send(get_navigation_buttons(reply)["‹ Back"].command)) == seen[30:40]


@pytest.mark.usefixtures("many_experiments")
async def test_every_row_has_show_button(program: RunningProgram) -> None:
    shown = get_buttons(await program.send("/find run page=2"))
    assert [label for label in shown if label not in NAVIGATION_LABELS] == [
        f"run {number}" for number in range(10, 20)
    ]
    assert "run 12" in await program.ask(shown["run 12"])


async def test_short_list_has_no_pages(program: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(10):
        sandbox.state.add_task(f"run {number}", user=sandbox.alice.id)
    reply = await program.send("/find run")
    assert get_navigation_buttons(reply) == {}
    assert "1–10" not in to_plain_text(reply)


@pytest.mark.usefixtures("many_experiments")
async def test_page_past_end_is_refused_with_back_button(program: RunningProgram) -> None:
    reply = await program.send("/find run page=9")
    assert "There's no page 9." in to_plain_text(reply)
    assert set(get_navigation_buttons(reply)) == {"‹ Back"}
    for line in ("/find page=0", "/find page=x", "/find page=-1", "/find page=99999"):
        assert await program.send_for_error_code(line) == "invalid_value"


async def test_next_page_keeps_search_words(program: RunningProgram, sandbox: Sandbox) -> None:
    project = sandbox.state.add_project("deep vision", user=sandbox.alice.id)["id"]
    for number in range(12):
        for status in ("completed", "failed"):
            sandbox.state.add_task(
                f"it's “mine” a=b {number}", user=sandbox.alice.id, project=project, status=status
            )
    text = join_words([Word("it's “mine” a=b", quoted=True)])
    line = f'/find {text} project="deep vision" status=failed mine'
    first = await program.send(line)
    second = await program.send(get_navigation_buttons(first)["Next ›"].command)
    assert len({*list_column(first, 0), *list_column(second, 0)}) == 12
    assert {*list_column(first, 2), *list_column(second, 2)} == {"Failed"}
    assert "11–12 of 12" in to_plain_text(second)


async def test_parameters_are_paged(program: RunningProgram, task_with_many_parameters: Document) -> None:
    await program.ask("/use wide")
    first = await program.send("/params")
    assert (len(list_column(first, 0)), "1–30 of 65" in to_plain_text(first)) == (30, True)
    await program.ask(f"/use {program.sandbox.state.add_task('other', user=program.sandbox.alice.id)['id']}")
    second = await program.send(get_navigation_buttons(first)["Next ›"].command)
    assert list_column(second, 0)[0] == "Args/p30"
    third = await program.send(get_navigation_buttons(second)["Next ›"].command)
    assert (list_column(third, 0)[-1], "61–65 of 65" in to_plain_text(third)) == ("Args/p64", True)
    assert set(get_navigation_buttons(third)) == {"‹ Back"}
    assert "There's no page 4." in await program.ask(f"/params id={task_with_many_parameters['id']} page=4")


async def test_parameter_filter_applies_to_every_page(
    program: RunningProgram, task_with_many_parameters: Document
) -> None:
    await program.ask("/use wide")
    few = await program.send("/params p1")
    assert (len(list_column(few, 0)), get_navigation_buttons(few)) == (10, {})
    first = await program.send("/params Args/p")
    second = await program.send(get_navigation_buttons(first)["Next ›"].command)
    assert list_column(second, 0)[0] == "Args/p30"

"""Forms: which line asks for one, what it holds, and that a filled-in one means what was filled in."""

import random

import pytest

from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.forms import filled_line, opens_form
from clearml_chatops.handlers.lines import undo_typography
from clearml_chatops.models.experiments import Container
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import FieldKind, Form, FormField, Outcome, Reply
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, plain_text

VALUES = (
    "",
    " ",
    "plain",
    "two words",
    "0.05",
    "a=b",
    "=",
    "args.lr=0.05",
    "--new",
    "--x --y=1",
    "-v /data:/data -w /workspace --user 1000:1000",
    "front",
    "'",
    '"',
    "it's",
    "\\",
    "ends with \\",
    "C:\\data\\new",
    "\\'",
    'say "hi" and \'bye\' \\ "',
    "first line\nsecond line\n\n  indented\n",
    "tab\there",
    "before — after",
    "a—b",
    "epochs 1–3",
    "don’t",
    "$HOME `id` ; rm -rf * && ${x}",
    '{"lr": [0.1, 0.05], "name": "it\'s"}',
    "\U0001f9ea \U0001f468\u200d\U0001f469\u200d\U0001f467 ünï 中文",
    "می‌خواهم",
    "<!channel> &amp; <b>",
)
TYPOGRAPHY = ("“hello”", "„so“", "«so»", "‘so’", "—new", "–v 1", "a\xa0b", "\\“x", "x\u200by", "’s — “—x” \\—")


@pytest.fixture
async def draft(program: RunningProgram, baseline: Document) -> Document:
    """A clone of the baseline, with a parameter that takes any text."""
    made = program.sandbox.state.tasks[(await program.say("/clone baseline two cards")).experiment_id]
    await program.ask("/set args.note=x --new")
    return made


async def form_of(program: RunningProgram, line: str, *, about: str = "") -> Form:
    """The form that a line asks for."""
    reply = await program.say(line, about=about)
    assert reply.outcome is Outcome.ASKED, plain_text(reply)
    return _form(reply)


def _form(reply: Reply) -> Form:
    (form,) = (block for block in reply.blocks if isinstance(block, Form))
    return form


def field(form: Form, name: str) -> FormField:
    return next(item for item in form.fields if item.name == name)


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("/set", True),
        ("/set 4f2a", True),
        ("/set args.lr", True),
        ("/set args.lr 0.1", False),
        ("/set args.lr=0.1", False),
        ("/set 4f2a --new", False),
        ("/container", True),
        ("/container 4f2a", True),
        ("/container image=x", False),
        ("/clone", True),
        ("/clone 4f2a", False),
        ("/show", False),
        ("/nonsense", False),
        ("/set 'open", False),
        ("", False),
    ],
)
def test_a_line_that_names_no_values_opens_a_form(line: str, *, opens: bool) -> None:
    assert opens_form(all_commands(), line) is opens


# ── /set ──────────────────────────────────────────────────────────────────────────────────────────


async def test_set_asks_for_all_parameters_with_the_parents_beside(
    program: RunningProgram, draft: Document
) -> None:
    await program.ask("/set args.gpus=1,2")
    form = await form_of(program, "/set")
    assert form.title == "Parameters of “two cards”"
    assert form.command == f"/set {draft['id']}"
    assert field(form, "Args/gpus") == FormField(
        name="Args/gpus",
        label="gpus",
        value="1,2",
        group="Args",
        note="str, GPUs to train on, comma separated, parent: 0",
        changed=True,
    )
    assert field(form, "Args/lr").note == "float, learning rate"
    assert not field(form, "Args/lr").changed
    assert field(form, "Args/note").note == "the parent has none"
    assert [item.name for item in form.fields] == sorted(item.name for item in form.fields)
    assert (await program.say("/set")).experiment_id == draft["id"]


async def test_set_of_a_named_experiment_and_of_one_parameter(
    program: RunningProgram, baseline: Document, draft: Document
) -> None:
    other = (await program.say("/clone baseline another")).experiment_id
    assert (await form_of(program, f"/set {draft['id'][:8]}")).command == f"/set {draft['id']}"
    assert (await form_of(program, "/set 'two cards'")).command == f"/set {draft['id']}"
    one = await form_of(program, "/set ARGS.LR")
    assert one.command == f"/set {other}"
    assert [item.name for item in one.fields] == ["Args/lr"]


async def test_names_that_cannot_be_typed_are_left_out_and_named(program: RunningProgram, draft: Document) -> None:
    for section, name in (("Args", "two words"), ("--odd", "x"), ("Args", "a=b"), ("Args", "q'"), ("1st", "x")):
        draft["hyperparams"].setdefault(section, {})[name] = {"section": section, "name": name, "value": "1"}
    draft["hyperparams"]["Args"]["model.size"] = {"section": "Args", "name": "model.size", "value": "1"}
    reply = await program.say("/set")
    names = {item.name for item in _form(reply).fields}
    assert "Args/model.size" in names
    assert names.isdisjoint({"Args/two words", "--odd/x", "Args/a=b", "Args/q'", "1st/x"})
    assert "Left out" in plain_text(reply)
    for name in ("Args/two words", "--odd/x", "Args/a=b", "Args/q'", "1st/x"):
        assert name in plain_text(reply)


async def test_two_parameters_that_are_written_alike_are_left_out(
    program: RunningProgram, draft: Document
) -> None:
    draft["hyperparams"]["a"] = {"b/c": {"section": "a", "name": "b/c", "value": "1"}}
    draft["hyperparams"]["a/b"] = {"c": {"section": "a/b", "name": "c", "value": "2"}}
    reply = await program.say("/set")
    assert "a/b/c" not in {item.name for item in _form(reply).fields}
    assert "Left out" in plain_text(reply)


async def test_set_of_what_is_no_draft_or_another_s_or_empty_gives_no_form(
    program: RunningProgram, baseline: Document
) -> None:
    sandbox = program.sandbox
    assert await program.error_code("/set baseline") == "not_a_draft"
    assert await program.error_code("/set") == "no_current_experiment"
    bare = sandbox.state.add_task("bare", user=sandbox.alice.id)
    assert "has no parameters; /set args.name=value --new" in await program.ask(f"/set {bare['id']}")
    theirs = sandbox.state.add_task("hers", user=sandbox.carol.id)
    bob = await program.introduce(sandbox.bob, Role.MEMBER)
    assert await bob.error_code(f"/set {theirs['id']}") == "not_yours"


@pytest.mark.parametrize("value", VALUES)
async def test_what_is_filled_in_is_what_is_set(program: RunningProgram, draft: Document, value: str) -> None:
    form = await form_of(program, "/set")
    await program.ask(filled_line(form, {"Args/note": value, "Args/lr": "0.5"}))
    set_to = {name: item["value"] for name, item in draft["hyperparams"]["Args"].items()}
    assert (set_to["note"], set_to["lr"], set_to["gpus"]) == (value, "0.5", "0")


async def test_any_mixture_of_awkward_pieces_arrives_as_it_was_filled_in(
    program: RunningProgram, draft: Document
) -> None:
    chance = random.Random(4)
    pieces = [*VALUES, *TYPOGRAPHY, " ", "\n", "\\", "'", '"', "=", "--", "—", "’"]
    fresh = await form_of(program, "/set")
    draft["hyperparams"]["Args"]["note"]["value"] = "“so”"
    quoting = await form_of(program, "/set")
    for _ in range(40):
        value = "".join(chance.choices(pieces, k=chance.randint(1, 6)))
        await program.ask(filled_line(fresh, {"Args/note": value}))
        assert draft["hyperparams"]["Args"]["note"]["value"] == undo_typography(value)
        await program.ask(filled_line(quoting, {"Args/note": value}))
        assert draft["hyperparams"]["Args"]["note"]["value"] == value


@pytest.mark.parametrize(
    ("filled", "meant"),
    [
        ("“hello”", '"hello"'),
        ("{“lr”: ‘x’}", "{\"lr\": 'x'}"),
        ("—user 1000:1000 –v /data", "--user 1000:1000 -v /data"),
        ("two\r\nlines", "two\nlines"),
    ],
)
async def test_a_phones_typography_is_undone_in_a_form_as_in_a_line(
    program: RunningProgram, draft: Document, filled: str, meant: str
) -> None:
    await program.ask(filled_line(await form_of(program, "/set"), {"Args/note": filled}))
    assert draft["hyperparams"]["Args"]["note"]["value"] == meant


@pytest.mark.parametrize("value", TYPOGRAPHY)
async def test_typography_that_stood_there_before_is_kept(
    program: RunningProgram, draft: Document, value: str
) -> None:
    draft["hyperparams"]["Args"]["note"]["value"] = value
    form = await form_of(program, "/set")
    await program.ask(filled_line(form, {"Args/note": f"{value} and more"}))
    assert draft["hyperparams"]["Args"]["note"]["value"] == f"{value} and more"


async def test_what_is_left_as_it_is_is_not_written_again(program: RunningProgram, draft: Document) -> None:
    form = await form_of(program, "/set")
    assert filled_line(form, {}) == form.command
    assert filled_line(form, {item.name: item.value for item in form.fields}) == form.command
    draft["hyperparams"]["Args"]["lr"]["value"] = "0.7"  # meanwhile, in the web UI
    await program.ask(filled_line(form, {"Args/lr": "0.1", "Args/gpus": "3"}))
    assert draft["hyperparams"]["Args"]["lr"]["value"] == "0.7"


async def test_a_text_can_be_emptied_and_a_number_cannot(program: RunningProgram, draft: Document) -> None:
    await program.ask("/set args.note=''")
    assert draft["hyperparams"]["Args"]["note"]["value"] == ""
    assert (
        await program.error_code(filled_line(await form_of(program, "/set"), {"Args/lr": ""})) == "invalid_value"
    )


# ── /container ────────────────────────────────────────────────────────────────────────────────────


async def test_container_asks_where_it_can_be_changed(program: RunningProgram, draft: Document) -> None:
    form = await form_of(program, "/container")
    assert form.command == f"/container {draft['id']}"
    assert [(item.name, item.value) for item in form.fields] == [
        ("image", "nvcr.io/nvidia/pytorch:25.09-py3"),
        ("args", "--ipc=host -v /data:/data"),
        ("setup", ""),
    ]
    assert field(form, "setup").kind is FieldKind.LONG_TEXT
    assert (await form_of(program, "/container 'two cards'")).command == form.command


async def test_container_shows_where_it_cannot_be_changed(
    program: RunningProgram, baseline: Document, draft: Document
) -> None:
    assert "nvcr.io/nvidia/pytorch" in await program.ask("/container baseline")
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    draft["user"] = program.sandbox.carol.id
    for person in (bob, await program.introduce(program.sandbox.carol, Role.VIEWER)):
        assert "--ipc=host" in await person.ask(f"/container {draft['id']}")


@pytest.mark.parametrize("value", VALUES)
async def test_a_filled_in_container_is_what_is_set(program: RunningProgram, draft: Document, value: str) -> None:
    form = await form_of(program, "/container")
    await program.ask(filled_line(form, {"setup": f"#!/bin/sh\n{value}", "args": value}))
    container = draft["container"]
    assert Container(container["image"], container["arguments"], container["setup_shell_script"]) == Container(
        "nvcr.io/nvidia/pytorch:25.09-py3", value, f"#!/bin/sh\n{value}"
    )


async def test_an_image_can_be_taken_away(program: RunningProgram, draft: Document) -> None:
    await program.ask("/container image=''")
    assert draft["container"]["image"] == ""
    assert draft["container"]["arguments"] == "--ipc=host -v /data:/data"
    await program.ask("/undo")
    await program.ask(filled_line(await form_of(program, "/container"), {"image": ""}))
    assert draft["container"]["image"] == ""


# ── /clone ────────────────────────────────────────────────────────────────────────────────────────


async def test_clone_with_nothing_asks_what_and_how_it_is_called(
    program: RunningProgram, baseline: Document
) -> None:
    form = await form_of(program, "/clone")
    assert form.command == "/clone"
    experiment, name = form.fields
    assert (experiment.kind, experiment.positional, experiment.required) == (FieldKind.EXPERIMENT, True, True)
    assert (experiment.value, name.value, name.note) == ("", "", "nothing for “Clone of …”")
    made = await program.say(filled_line(form, {"experiment": baseline["id"], "name": ""}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == "Clone of baseline"


async def test_clone_in_answer_to_a_card_has_its_experiment_filled_in(
    program: RunningProgram, baseline: Document
) -> None:
    form = await form_of(program, "/clone", about=baseline["id"])
    assert form.fields[0].value == baseline["id"]
    made = await program.say(filled_line(form, {"name": "called so"}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == "called so"


@pytest.mark.parametrize("value", [value for value in VALUES if len(value.strip()) >= 3])
async def test_a_clone_is_called_what_was_filled_in(
    program: RunningProgram, baseline: Document, value: str
) -> None:
    form = await form_of(program, "/clone")
    made = await program.say(filled_line(form, {"experiment": "baseline", "name": value}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == value


async def test_clone_into_a_project_asks_for_the_rest(program: RunningProgram, baseline: Document) -> None:
    form = await form_of(program, "/clone project=vision")
    made = await program.say(filled_line(form, {"experiment": baseline["id"]}))
    assert made.experiment_id

"""Forms: which lines open one, what its fields are, and that filled-in values are what is set."""

import random

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.command_line import undo_typography
from clearml_chatops.handlers.forms import build_filled_line, opens_form
from clearml_chatops.models.experiments import Container
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import FieldKind, Form, FormField, Outcome, Reply
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, to_plain_text

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
    """A clone of the baseline, with a parameter that accepts any text."""
    made = program.sandbox.state.tasks[(await program.send("/clone baseline two GPUs")).experiment_id]
    await program.ask("/set args.note=x --new")
    return made


async def request_form(program: RunningProgram, line: str, *, about: str = "") -> Form:
    """Send a line and return the form in the reply."""
    reply = await program.send(line, experiment_id=about)
    assert reply.outcome is Outcome.ASKED, to_plain_text(reply)
    return _get_form(reply)


def _get_form(reply: Reply) -> Form:
    (form,) = (block for block in reply.blocks if isinstance(block, Form))
    return form


def get_field(form: Form, name: str) -> FormField:
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
def test_line_without_values_opens_form(line: str, *, opens: bool) -> None:
    assert opens_form(build_registry(), line) is opens


# ── /set ──────────────────────────────────────────────────────────────────────────────────────────


async def test_set_form_shows_all_parameters_and_parent_values(program: RunningProgram, draft: Document) -> None:
    await program.ask("/set args.gpus=1,2")
    form = await request_form(program, "/set")
    assert form.title == "Parameters of “two GPUs”"
    assert form.command == f"/set {draft['id']}"
    assert get_field(form, "Args/gpus") == FormField(
        name="Args/gpus",
        label="gpus",
        value="1,2",
        group="Args",
        hint="str, GPUs to train on, comma separated, parent: 0",
        changed=True,
    )
    assert get_field(form, "Args/lr").hint == "float, learning rate"
    assert not get_field(form, "Args/lr").changed
    assert get_field(form, "Args/note").hint == "not in the parent"
    assert [item.name for item in form.fields] == sorted(item.name for item in form.fields)
    assert (await program.send("/set")).experiment_id == draft["id"]


async def test_set_form_for_named_experiment_or_parameter(
    program: RunningProgram, baseline: Document, draft: Document
) -> None:
    other = (await program.send("/clone baseline another")).experiment_id
    assert (await request_form(program, f"/set {draft['id'][:8]}")).command == f"/set {draft['id']}"
    assert (await request_form(program, "/set 'two GPUs'")).command == f"/set {draft['id']}"
    one = await request_form(program, "/set ARGS.LR")
    assert one.command == f"/set {other}"
    assert [item.name for item in one.fields] == ["Args/lr"]


ODD_NAMES = (
    ("Args", "two words"),
    ("My Section", "a b"),
    ("Args", "a=b"),
    ("Args", "q'"),
    ("Args", "“x”"),
    ("1st", "x"),
    ("Args", "model.size"),
)


async def test_set_form_takes_values_of_odd_names(program: RunningProgram, draft: Document) -> None:
    for section, name in ODD_NAMES:
        draft["hyperparams"].setdefault(section, {})[name] = {"section": section, "name": name, "value": "1"}
    form = await request_form(program, "/set")
    await program.ask(build_filled_line(form, {f"{section}/{name}": "it's 2" for section, name in ODD_NAMES}))
    for section, name in ODD_NAMES:
        assert draft["hyperparams"][section][name]["value"] == "it's 2"


async def test_set_form_omits_and_lists_untypable_names(program: RunningProgram, draft: Document) -> None:
    draft["hyperparams"]["--odd"] = {"x": {"section": "--odd", "name": "x", "value": "1"}}
    reply = await program.send("/set")
    assert "--odd/x" not in {item.name for item in _get_form(reply).fields}
    assert "Left out, because their names can't be typed: --odd/x." in to_plain_text(reply)


async def test_set_form_omits_ambiguous_parameters(program: RunningProgram, draft: Document) -> None:
    draft["hyperparams"]["a"] = {"b/c": {"section": "a", "name": "b/c", "value": "1"}}
    draft["hyperparams"]["a/b"] = {"c": {"section": "a/b", "name": "c", "value": "2"}}
    reply = await program.send("/set")
    assert "a/b/c" not in {item.name for item in _get_form(reply).fields}
    assert "Left out" in to_plain_text(reply)


async def test_set_gives_no_form_for_uneditable_or_empty_experiment(
    program: RunningProgram, baseline: Document
) -> None:
    sandbox = program.sandbox
    assert await program.send_for_error_code("/set baseline") == "not_a_draft"
    assert await program.send_for_error_code("/set") == "no_current_experiment"
    bare = sandbox.state.add_task("bare", user=sandbox.alice.id)
    assert "has no parameters. Create one with /set args.name=value --new" in await program.ask(
        f"/set {bare['id']}"
    )
    theirs = sandbox.state.add_task("Carol's draft", user=sandbox.carol.id)
    bob = await program.add_person(sandbox.bob, Role.MEMBER)
    assert await bob.send_for_error_code(f"/set {theirs['id']}") == "experiment_not_yours"


@pytest.mark.parametrize("value", VALUES)
async def test_filled_in_value_is_set(program: RunningProgram, draft: Document, value: str) -> None:
    form = await request_form(program, "/set")
    await program.ask(build_filled_line(form, {"Args/note": value, "Args/lr": "0.5"}))
    set_to = {name: item["value"] for name, item in draft["hyperparams"]["Args"].items()}
    assert (set_to["note"], set_to["lr"], set_to["gpus"]) == (value, "0.5", "0")


async def test_random_awkward_values_round_trip(program: RunningProgram, draft: Document) -> None:
    chance = random.Random(4)
    pieces = [*VALUES, *TYPOGRAPHY, " ", "\n", "\\", "'", '"', "=", "--", "—", "’"]
    fresh = await request_form(program, "/set")
    draft["hyperparams"]["Args"]["note"]["value"] = "“so”"
    quoting = await request_form(program, "/set")
    for _ in range(40):
        value = "".join(chance.choices(pieces, k=chance.randint(1, 6)))
        await program.ask(build_filled_line(fresh, {"Args/note": value}))
        assert draft["hyperparams"]["Args"]["note"]["value"] == undo_typography(value)
        await program.ask(build_filled_line(quoting, {"Args/note": value}))
        assert draft["hyperparams"]["Args"]["note"]["value"] == value


@pytest.mark.parametrize(
    ("filled", "expected"),
    [
        ("“hello”", '"hello"'),
        ("{“lr”: ‘x’}", "{\"lr\": 'x'}"),
        ("—user 1000:1000 –v /data", "--user 1000:1000 -v /data"),
        ("two\r\nlines", "two\nlines"),
    ],
)
async def test_typography_in_form_is_undone(
    program: RunningProgram, draft: Document, filled: str, expected: str
) -> None:
    await program.ask(build_filled_line(await request_form(program, "/set"), {"Args/note": filled}))
    assert draft["hyperparams"]["Args"]["note"]["value"] == expected


@pytest.mark.parametrize("value", TYPOGRAPHY)
async def test_existing_typography_is_kept(program: RunningProgram, draft: Document, value: str) -> None:
    draft["hyperparams"]["Args"]["note"]["value"] = value
    form = await request_form(program, "/set")
    await program.ask(build_filled_line(form, {"Args/note": f"{value} and more"}))
    assert draft["hyperparams"]["Args"]["note"]["value"] == f"{value} and more"


async def test_unchanged_values_are_not_written(program: RunningProgram, draft: Document) -> None:
    form = await request_form(program, "/set")
    assert build_filled_line(form, {}) == form.command
    assert build_filled_line(form, {item.name: item.value for item in form.fields}) == form.command
    draft["hyperparams"]["Args"]["lr"]["value"] = "0.7"  # meanwhile, in the web UI
    await program.ask(build_filled_line(form, {"Args/lr": "0.1", "Args/gpus": "3"}))
    assert draft["hyperparams"]["Args"]["lr"]["value"] == "0.7"


async def test_text_can_be_emptied_but_number_cannot(program: RunningProgram, draft: Document) -> None:
    await program.ask("/set args.note=''")
    assert draft["hyperparams"]["Args"]["note"]["value"] == ""
    assert (
        await program.send_for_error_code(build_filled_line(await request_form(program, "/set"), {"Args/lr": ""}))
        == "invalid_value"
    )


# ── /container ────────────────────────────────────────────────────────────────────────────────────


async def test_container_opens_form_for_editable_draft(program: RunningProgram, draft: Document) -> None:
    form = await request_form(program, "/container")
    assert form.command == f"/container {draft['id']}"
    assert [(item.name, item.value) for item in form.fields] == [
        ("image", "nvcr.io/nvidia/pytorch:25.09-py3"),
        ("args", "--ipc=host -v /data:/data"),
        ("setup", ""),
    ]
    assert get_field(form, "setup").kind is FieldKind.LONG_TEXT
    assert (await request_form(program, "/container 'two GPUs'")).command == form.command


async def test_container_shows_values_when_not_editable(
    program: RunningProgram, baseline: Document, draft: Document
) -> None:
    assert "nvcr.io/nvidia/pytorch" in await program.ask("/container baseline")
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    draft["user"] = program.sandbox.carol.id
    for person in (bob, await program.add_person(program.sandbox.carol, Role.VIEWER)):
        assert "--ipc=host" in await person.ask(f"/container {draft['id']}")


@pytest.mark.parametrize("value", VALUES)
async def test_filled_in_container_is_set(program: RunningProgram, draft: Document, value: str) -> None:
    form = await request_form(program, "/container")
    await program.ask(build_filled_line(form, {"setup": f"#!/bin/sh\n{value}", "args": value}))
    container = draft["container"]
    assert Container(container["image"], container["arguments"], container["setup_shell_script"]) == Container(
        "nvcr.io/nvidia/pytorch:25.09-py3", value, f"#!/bin/sh\n{value}"
    )


async def test_image_can_be_removed(program: RunningProgram, draft: Document) -> None:
    await program.ask("/container image=''")
    assert draft["container"]["image"] == ""
    assert draft["container"]["arguments"] == "--ipc=host -v /data:/data"
    await program.ask("/undo")
    await program.ask(build_filled_line(await request_form(program, "/container"), {"image": ""}))
    assert draft["container"]["image"] == ""


# ── /clone ────────────────────────────────────────────────────────────────────────────────────────


async def test_clone_without_arguments_opens_form(program: RunningProgram, baseline: Document) -> None:
    form = await request_form(program, "/clone")
    assert form.command == "/clone"
    experiment, name = form.fields
    assert (experiment.kind, experiment.positional, experiment.required) == (FieldKind.EXPERIMENT, True, True)
    assert (experiment.value, name.value, name.hint) == ("", "", "Leave empty for “Clone of …”")
    made = await program.send(build_filled_line(form, {"experiment": baseline["id"], "name": ""}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == "Clone of baseline"


async def test_clone_form_in_reply_to_card_is_prefilled(program: RunningProgram, baseline: Document) -> None:
    form = await request_form(program, "/clone", about=baseline["id"])
    assert form.fields[0].value == baseline["id"]
    made = await program.send(build_filled_line(form, {"name": "better name"}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == "better name"


@pytest.mark.parametrize("value", [value for value in VALUES if len(value.strip()) >= 3])
async def test_clone_gets_filled_in_name(program: RunningProgram, baseline: Document, value: str) -> None:
    form = await request_form(program, "/clone")
    made = await program.send(build_filled_line(form, {"experiment": "baseline", "name": value}))
    assert program.sandbox.state.tasks[made.experiment_id]["name"] == value


async def test_clone_form_keeps_project(program: RunningProgram, baseline: Document) -> None:
    form = await request_form(program, "/clone project=vision")
    made = await program.send(build_filled_line(form, {"experiment": baseline["id"]}))
    assert made.experiment_id

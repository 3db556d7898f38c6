"""Lines that change parameters, as people type them, on a draft with every kind of parameter."""

import json
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest

from clearml_chatops.handlers.assignments import join_assignments
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.forms import build_filled_line
from clearml_chatops.models.replies import Form, Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, to_plain_text

_FOLDER = Path(__file__).parent
_PARAMETERS: dict[str, tuple[str, str]] = json.loads((_FOLDER / "draft_parameters.json").read_text())

Lines = Sequence[tuple[str, dict[str, str] | None]]
"""A line, and what it sets; None if it must be refused."""

_CASES: Lines = [
    (case["line"], case["then"])
    for case in map(json.loads, (_FOLDER / "typed_parameters.jsonl").read_text().splitlines())
]
MORE_LINES: Lines = (
    # lists
    ("/set args.names c,d", {"Args/names": "['c', 'd']"}),
    ("/set args.gpus 3", {"Args/gpus": "[3]"}),
    ("/set args.gpus [1, 2]", {"Args/gpus": "[1, 2]"}),
    ("/set args.gpus 1, 2", {"Args/gpus": "[1, 2]"}),
    ("/set args.gpus 1 2", {"Args/gpus": "[1, 2]"}),
    ("/set gpus 1 2", {"Args/gpus": "[1, 2]"}),
    ("/set args.gpus=1 2", {"Args/gpus": "[1, 2]"}),
    ("/set args.gpus = 1 2", {"Args/gpus": "[1, 2]"}),
    ("/set args.path=two words", None),
    ("/set hydra._args_ model=small x", None),
    ("/set args.names a 'b c'", {"Args/names": "['a', 'b c']"}),
    ("/set args.ratios=0.3 , 1e-4", {"Args/ratios": "[0.3, 1e-4]"}),
    ("/set general.optimizer.betas 0.8,0.9", {"General/optimizer/betas": "[0.8, 0.9]"}),
    ("/set general.tuple 3,4", {"General/tuple": "(3, 4)"}),
    ("/set args.gpus 1,two", None),
    ("/set args.ratios [0.1, 0.2", None),
    ("/set general.optimizer.betas high", None),
    # a scalar that can become a list
    ("/set args.mean [0.5, 0.5]", {"Args/mean": "[0.5, 0.5]"}),
    ("/set args.epochs [1,2]", {"Args/epochs": "[1, 2]"}),
    ("/set args.mean 0.5,0.5", None),
    ("/set general.lr [0.1]", None),
    # between name and value, and between pairs
    ("/set args.lr =0.4", {"Args/lr": "0.4"}),
    ("/set args.lr= 0.4", {"Args/lr": "0.4"}),
    ("/set epochs to 4", {"Args/epochs": "4"}),
    ("/set args.opt = two words", None),
    ("/set args.opt go to bed", None),
    ("/set args.opt a = b", None),
    ("/set args.opt a.txt to b", None),
    ("/set args.opt a.txt = b", None),
    ("/set lr to 0.4, epochs = 3, args.path to x", None),
    ("/set epochs = 4, path to x", {"Args/epochs": "4", "Args/path": "x"}),
    ("/set args.lr 0.4, args.epochs 3", {"Args/lr": "0.4", "Args/epochs": "3"}),
    ("/set args.lr=0.4,args.epochs=3", {"Args/lr": "0.4", "Args/epochs": "3"}),
    ("/set args.path='a b', args.epochs to 3", {"Args/path": "a b", "Args/epochs": "3"}),
    ("/set args.layers=[4, 5], epochs 3", {"Args/layers": "[4, 5]", "Args/epochs": "3"}),
    ("/set args.path a.txt, b.txt", {"Args/path": "a.txt, b.txt"}),
    ("/set args.lr to 0.4 and args.epochs to 3", {"Args/lr": "0.4", "Args/epochs": "3"}),
    (
        "/set args.lr=0.4 and args.epochs=3 & args.gpus = 1",
        {"Args/lr": "0.4", "Args/epochs": "3", "Args/gpus": "[1]"},
    ),
    ("/set epochs 3 and args.path=x", {"Args/epochs": "3", "Args/path": "x"}),
    ("/set args.path salt and pepper", None),
    ("/set epochs: 4", {"Args/epochs": "4"}),
    ("/set args.lr: 0.4", {"Args/lr": "0.4"}),
    ("/set args.lr: 0.4, args.epochs: 3", {"Args/lr": "0.4", "Args/epochs": "3"}),
    ("/set args.gpus: [1, 2]", {"Args/gpus": "[1, 2]"}),
    ("/set args.path fix: it", None),
    # minus signs
    ("/set args.lr=−1e−4", {"Args/lr": "-1e-4"}),
    ("/set args.layers −1,−2", {"Args/layers": "[-1, -2]"}),
    ("/set args.layers [−1, –2]", {"Args/layers": "[-1, -2]"}),
    # values that look like options
    ("/set args.path --foo", {"Args/path": "--foo"}),
    ("/set path --foo=bar", {"Args/path": "--foo=bar"}),
    ("/set args.path = --foo, args.lr=0.2", {"Args/path": "--foo", "Args/lr": "0.2"}),
    ("/set args.path x --nwe", None),
    # names
    ("/set GENERAL.OPTIMIZER.NAME sgd", {"General/optimizer/name": "sgd"}),
    ("/set optimizer.name sgd", {"General/optimizer/name": "sgd"}),
    ("/set general/optimizer.betas 0.1,0.2", {"General/optimizer/betas": "[0.1, 0.2]"}),
    ("/set args/trainer/max_epochs 6", {"Args/trainer.max_epochs": "6"}),
    ("/set 'my section.a b'=z args.lr=0.2", {"My Section/a b": "z", "Args/lr": "0.2"}),
    ("/set name sgd", None),
    ("/set lr 0.2 --new", None),
    ("/set lr=0.2 args.epochs=3", None),
    # values with = and quotes in them
    ("/set hydra._args_ model=small", {"Hydra/_args_": "['model=small']"}),
    ("/set hydra._args_ model=small trainer.gpus=1", {"Hydra/_args_": "['model=small', 'trainer.gpus=1']"}),
    ("/set hydra._args_ = model=small", {"Hydra/_args_": "['model=small']"}),
    ("/set hydra._args_ model=small args.lr=0.2", {"Hydra/_args_": "['model=small']", "Args/lr": "0.2"}),
    ("/set hydra._args_ ['model=small', 'a=[1,2]']", {"Hydra/_args_": "['model=small', 'a=[1,2]']"}),
    ("/set general.cfg {'a': 2}", {"General/cfg": "{'a': 2}"}),
    ("/set general.cfg = {‘a’: [1, 2]}, args.lr=0.2", {"General/cfg": "{'a': [1, 2]}", "Args/lr": "0.2"}),
    ('/set general.cfg={"a": true}', {"General/cfg": '{"a": true}'}),
    ("/set general.cfg {a: 2}", None),
    # numbers and words
    ("/set args.amp YES", {"Args/amp": "True"}),
    ("/set args.lr 0,1", None),
    ("/set args.epochs 10.0", None),
)


@pytest.fixture
def draft(sandbox: Sandbox) -> Document:
    sections: dict[str, dict[str, Document]] = {}
    for key, (value, type_name) in _PARAMETERS.items():
        section, name = key.split("/", 1)
        item = {"section": section, "name": name, "value": value, "type": type_name}
        sections.setdefault(section, {})[name] = item
    return sandbox.state.add_task("a draft", user=sandbox.alice.id, hyperparams=sections)


@pytest.fixture
async def chat(program: RunningProgram, draft: Document) -> RunningProgram:
    """The program where the draft is the current experiment."""
    await program.ask(f"/use {draft['id']}")
    return program


def _read_values(task: Document) -> dict[str, str]:
    return {
        f"{section}/{name}": item["value"]
        for section, items in task["hyperparams"].items()
        for name, item in items.items()
    }


def _read_changes(task: Document) -> dict[str, str]:
    return {name: value for name, value in _read_values(task).items() if _PARAMETERS.get(name, ("",))[0] != value}


@pytest.mark.parametrize("lines", [_CASES, MORE_LINES], ids=["cases from use", "more lines"])
async def test_a_typed_line_sets_what_is_meant_or_nothing(
    chat: RunningProgram, draft: Document, lines: Lines
) -> None:
    original = deepcopy(draft["hyperparams"])
    for line, changes in lines:
        draft["hyperparams"] = deepcopy(original)
        reply = await chat.send(line)
        expected = (Outcome.DONE if changes else Outcome.REFUSED, changes or {})
        assert (reply.outcome, _read_changes(draft)) == expected, f"{line}: {to_plain_text(reply)}"


@pytest.mark.parametrize(
    ("line", "button", "changes"),
    [
        ("/set lr 0.2", "Args/lr", {"Args/lr": "0.2"}),
        ("/set lr 0.2", "General/lr", {"General/lr": "0.2"}),
        ("/set lr=0.2 args.path='a b' --new", "General/lr", {"General/lr": "0.2", "Args/path": "a b"}),
        ("/set args.lrr 0.2", "args.lr", {"Args/lr": "0.2"}),
        ("/set betas 0.1,0.2", "general.optimizer/betas", {"General/optimizer/betas": "[0.1, 0.2]"}),
        ("/set args.lrr 0.2", "Add args.lrr", {"Args/lrr": "0.2"}),
        ("/set args.lr 0,2", "args.lr = 0.2", {"Args/lr": "0.2"}),
        ("/set args.mean 0.5,0.5", "args.mean = [0.5, 0.5]", {"Args/mean": "[0.5, 0.5]"}),
        ("/set args.path two words", "Args/path = two words", {"Args/path": "two words"}),
        ("/set args.path=two more words", "Args/path = two more words", {"Args/path": "two more words"}),
        (
            "/set args.path two words, args.lr=0.2",
            "Args/path = two words",
            {"Args/path": "two words", "Args/lr": "0.2"},
        ),
        ("/set a.path two words", None, {}),
        ("/set path two words", "Args/path = two words", {"Args/path": "two words"}),
        ("/set path salt and pepper", "Args/path = salt and pepper", {"Args/path": "salt and pepper"}),
        ("/set args.path fix: it", "Args/path = fix: it", {"Args/path": "fix: it"}),
        ("/set nosuch two words", None, {}),
        ("/set args.epochs 1e3", "args.epochs = 1000", {"Args/epochs": "1000"}),
    ],
)
async def test_a_button_sets_the_correction_whatever_is_current_by_then(
    chat: RunningProgram, draft: Document, sandbox: Sandbox, line: str, button: str | None, changes: dict[str, str]
) -> None:
    reply = await chat.send(line)
    assert reply.outcome is Outcome.REFUSED
    buttons = get_buttons(reply)
    if button is None:
        assert not buttons
        return
    await chat.ask(f"/use {sandbox.state.add_task('another', user=sandbox.alice.id)['id']}")
    await chat.ask(buttons[button])
    assert _read_changes(draft) == changes


@pytest.mark.parametrize(
    ("line", "name", "changes"),
    [
        ("/rerun {id} args.gpus 1,2", "Clone of a draft", {"Args/gpus": "[1, 2]"}),
        ("/rerun {id} args.gpus 1 2", "Clone of a draft", {"Args/gpus": "[1, 2]"}),
        ("/rerun {id} longer run args.gpus=1, 2", "longer run", {"Args/gpus": "[1, 2]"}),
        ("/rerun {id} v1.5 test args.lr 0.2, args.epochs 3", "v1.5 test", {"Args/lr": "0.2", "Args/epochs": "3"}),
        ("/rerun {id} back to basics", "back to basics", {}),
        ("/rerun {id} v1.2 to v1.3", "v1.2 to v1.3", {}),
        ("/rerun {id} args.lr to 0.2, args.epochs=3", "Clone of a draft", {"Args/lr": "0.2", "Args/epochs": "3"}),
        ("/rerun {id} args.lr=0.2, epochs to 3", "Clone of a draft", {"Args/lr": "0.2", "Args/epochs": "3"}),
        ("/rerun {id} args.lr to 0.2 queue = default", "Clone of a draft", {"Args/lr": "0.2"}),
        ("/rerun {id} args.lr: 0.2 and args.epochs=3", "Clone of a draft", {"Args/lr": "0.2", "Args/epochs": "3"}),
        ("/rerun {id} note: salt and pepper", "note: salt and pepper", {}),
        ("/rerun {id} args.path --foo", "Clone of a draft", {"Args/path": "--foo"}),
        ("/rerun {id} epochs=3", "Clone of a draft", {"Args/epochs": "3"}),
        ("/rerun {id} general.cfg={'a': 2}", "Clone of a draft", {"General/cfg": "{'a': 2}"}),
    ],
)
async def test_a_rerun_takes_the_same_values(
    chat: RunningProgram, draft: Document, line: str, name: str, changes: dict[str, str]
) -> None:
    await chat.ask("/queue create")
    await chat.ask(line.replace("{id}", draft["id"]) + " --force")
    (clone,) = (task for task in chat.sandbox.state.tasks.values() if task.get("parent") == draft["id"])
    assert (clone["name"], _read_changes(clone)) == (name, changes)
    assert _read_changes(draft) == {}


@pytest.mark.parametrize(
    ("line", "button", "changes"),
    [
        ("/rerun {id} 'my run' lr=0.2 --force", "General/lr", {"General/lr": "0.2"}),
        ("/rerun {id} my run args.mean=1,2 --force", "args.mean = [1, 2]", {"Args/mean": "[1, 2]"}),
        ("/rerun {id} my run args.path two words --force", "Args/path = two words", {"Args/path": "two words"}),
    ],
)
async def test_a_rerun_offers_the_same_corrections(
    chat: RunningProgram, draft: Document, line: str, button: str, changes: dict[str, str]
) -> None:
    await chat.ask("/queue create")
    reply = await chat.send(line.replace("{id}", draft["id"]))
    assert reply.outcome is Outcome.REFUSED
    await chat.ask(get_buttons(reply)[button])
    (clone,) = (task for task in chat.sandbox.state.tasks.values() if task.get("parent") == draft["id"])
    assert (clone["name"], _read_changes(clone)) == ("my run", changes)


async def test_a_form_takes_the_same_values(chat: RunningProgram, draft: Document) -> None:
    typed = {
        "Args/gpus": ("1,2", "[1, 2]"),
        "Args/layers": ("4 5", "[4, 5]"),
        "Args/names": ("it's, b", "[\"it's\", 'b']"),
        "Args/lr": ("−0.1", "-0.1"),
        "Args/path": ("--foo, ", "--foo, "),
        "General/cfg": ("{‘a’: 2}", "{'a': 2}"),
        "My Section/a b": ("x = y", "x = y"),
    }
    (form,) = (block for block in (await chat.send("/set")).blocks if isinstance(block, Form))
    await chat.ask(build_filled_line(form, {name: value for name, (value, _) in typed.items()}))
    assert _read_changes(draft) == {name: written for name, (_, written) in typed.items()}


async def test_each_wrong_value_of_a_form_is_reported_by_its_field(chat: RunningProgram, draft: Document) -> None:
    (form,) = (block for block in (await chat.send("/set")).blocks if isinstance(block, Form))
    names = {field.name for field in form.fields}
    for typed in ({"Args/lr": "0,1"}, {"Args/lr": "x", "Args/epochs": "10.0", "My Section/a b": "fine"}):
        reply = await chat.send(build_filled_line(form, typed))
        wrong = [error.name for error in reply.field_errors]
        assert sorted(wrong) == sorted(name for name in typed if name != "My Section/a b")
        assert set(wrong) <= names
        assert all(error.text in to_plain_text(reply) for error in reply.field_errors)
    assert _read_changes(draft) == {}


async def test_several_wrong_values_are_corrected_by_one_button(chat: RunningProgram, draft: Document) -> None:
    reply = await chat.send("/set args.lr=0,1 args.epochs=10.0 args.path=x")
    assert "2 values don't fit, so nothing was changed." in to_plain_text(reply)
    await chat.ask(get_buttons(reply)["args.lr = 0.1, args.epochs = 10"])
    assert _read_changes(draft) == {"Args/path": "x"}
    reply = await chat.send("/set args.lr=x args.epochs=10.0")
    assert list(get_buttons(reply)) == ["Edit parameters"]


async def test_a_name_opens_the_form_of_what_it_matches(chat: RunningProgram) -> None:
    for line, names in (
        ("/set epochs", ["Args/epochs"]),
        ("/set lr", ["Args/lr", "General/lr"]),
        ("/set general.optimizer.betas", ["General/optimizer/betas"]),
    ):
        (form,) = (block for block in (await chat.send(line)).blocks if isinstance(block, Form))
        assert [field.name for field in form.fields] == names


async def test_an_experiment_in_front_is_understood(
    chat: RunningProgram, draft: Document, sandbox: Sandbox
) -> None:
    await chat.ask(f"/use {sandbox.state.add_task('another', user=sandbox.alice.id)['id']}")
    short_id = draft["id"][:8]
    await chat.ask(f"/set {short_id} epochs 3")
    await chat.ask(f"/set {short_id} args.gpus 1 2")
    await chat.ask(f"/set {short_id} args.lr to 0.2, args.amp on")
    await chat.ask(f"/set {short_id} hydra._args_ model=small")
    assert _read_changes(draft) == {
        "Args/epochs": "3",
        "Args/gpus": "[1, 2]",
        "Args/lr": "0.2",
        "Args/amp": "True",
        "Hydra/_args_": "['model=small']",
    }


async def test_an_ambiguous_name_removes_nothing(chat: RunningProgram, draft: Document) -> None:
    reply = await chat.send("/unset lr")
    assert (reply.outcome, _read_changes(draft)) == (Outcome.REFUSED, {})
    await chat.ask(get_buttons(reply)["General/lr"])
    assert "lr" in draft["hyperparams"]["Args"]
    assert "lr" not in draft["hyperparams"]["General"]


async def test_ten_thousand_words_are_answered(chat: RunningProgram) -> None:
    for piece in ("x ", "args.x 1 ", "[ ", "1, "):
        reply = await chat.send("/set args.path " + piece * (19_900 // len(piece)))
        assert reply.outcome in {Outcome.REFUSED, Outcome.DONE}, to_plain_text(reply)


@pytest.mark.parametrize("piece", ["x ", "a.x 1 ", "a.b=1 , ", "[ ", "1, ", "to ", "= ", "--x ", "a.x=1,", "a= "])
@pytest.mark.parametrize("starts_with_name", [True, False])
def test_ten_thousand_words_are_joined_in_no_time(piece: str, *, starts_with_name: bool) -> None:
    words = split_words("a.path " + piece * (19_900 // len(piece)))
    started = time.process_time()
    join_assignments(words, is_option=lambda _: False, starts_with_name=starts_with_name)
    assert time.process_time() - started < 2

"""Texts that the SDK stores where a script gives none. They are kept on the server, and shown nowhere."""

import pytest

from clearml_chatops.models.replies import Form, Table
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram


@pytest.fixture
def draft(sandbox: Sandbox) -> Document:
    """A draft with parameters as clearml 2.1.12 stored them for a script with argparse, and older ones."""
    parameters = {
        "lr": {"value": "0.1", "type": "float", "description": "None"},  # no help
        "helped": {"value": "x", "type": "str", "description": "the help"},
        "hidden": {"value": "1", "type": "int", "description": "==SUPPRESS=="},  # help=argparse.SUPPRESS
        "nothing": {"value": "None", "type": "NoneType", "description": ""},  # default=None
        "untyped": {"value": "", "type": "None", "description": " None "},
        "real": {"value": "None", "type": "str", "description": "None turns it off"},
        "bare": {"value": "1"},
    }
    args = {name: {"section": "Args", "name": name, **item} for name, item in parameters.items()}
    return sandbox.state.add_task("a draft", user=sandbox.alice.id, hyperparams={"Args": args})


async def test_the_list_of_parameters_shows_none(program: RunningProgram, draft: Document) -> None:
    reply = await program.send(f"/params id={draft['id']}")
    (table,) = (block for block in reply.blocks if isinstance(block, Table))
    assert {tuple(row) for row in table.rows} == {
        ("Args/bare", "1", "", ""),
        ("Args/helped", "x", "str", "the help"),
        ("Args/hidden", "1", "int", ""),
        ("Args/lr", "0.1", "float", ""),
        ("Args/nothing", "None", "", ""),
        ("Args/real", "None", "str", "None turns it off"),
        ("Args/untyped", "", "", ""),
    }


async def test_forms_show_none(program: RunningProgram, draft: Document) -> None:
    reply = await program.send(f"/set {draft['id']}")
    (form,) = (block for block in reply.blocks if isinstance(block, Form))
    hints = {field.name: field.hint for field in form.fields}
    assert (hints["Args/lr"], hints["Args/hidden"], hints["Args/nothing"]) == ("float", "int", "")
    assert hints["Args/real"] == "str, None turns it off"


async def test_a_change_keeps_what_the_server_has(program: RunningProgram, draft: Document) -> None:
    await program.ask(f"/set {draft['id']} args.lr=0.2 args.hidden=2")
    parameters = draft["hyperparams"]["Args"]
    assert (parameters["lr"]["value"], parameters["lr"]["description"]) == ("0.2", "None")
    assert (parameters["hidden"]["value"], parameters["hidden"]["description"]) == ("2", "==SUPPRESS==")

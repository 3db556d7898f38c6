"""A person in the middle of his work."""

import pytest

from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram


@pytest.fixture
async def ready(program: RunningProgram, baseline: Document) -> RunningProgram:
    """A program whose person has a queue and works on a clone of the baseline."""
    await program.ask("/queue create")
    await program.ask(f"/clone {baseline['id']} two cards")
    return program

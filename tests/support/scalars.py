"""Scalars reported to the sandbox, and helpers to inspect pictures."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from PIL import Image

from clearml_chatops.models.replies import Picture, Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.events import SCALAR_EVENT, add_events

SINGLE_VALUE = -(2**31)
"""The iteration of a value that is reported once for the whole run."""


def add_experiment(sandbox: Sandbox, name: str, **parameters: str) -> str:
    """Add a completed experiment of Alice's. Return its id."""
    arguments = {key: {"section": "Args", "name": key, "value": value} for key, value in parameters.items()}
    task = sandbox.state.add_task(
        name, user=sandbox.alice.id, status="completed", hyperparams={"Args": arguments} if arguments else {}
    )
    return str(task["id"])


def report_scalar(
    sandbox: Sandbox, task: str, name: str, values: Iterable[Any], *, iterations: Iterable[int] | None = None
) -> None:
    """Report values of the scalar `metric/variant`, at iterations from 0 unless others are given."""
    metric, _, variant = name.rpartition("/")
    value_list = list(values)
    scalar = {"type": SCALAR_EVENT, "task": task, "metric": metric, "variant": variant}
    steps = range(len(value_list)) if iterations is None else iterations
    add_events(
        sandbox.state,
        ({**scalar, "iter": step, "value": value} for step, value in zip(steps, value_list, strict=True)),
    )


def get_picture(reply: Reply) -> Picture:
    (picture,) = (block for block in reply.blocks if isinstance(block, Picture))
    return picture


def decode_png(png: bytes) -> Image.Image:
    """Decode a PNG completely."""
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    image.load()
    return image.convert("RGB")


def list_colours(png: bytes) -> set[tuple[int, int, int]]:
    """Return the colours of a picture, as red, green and blue from 0 to 255."""
    image = decode_png(png)
    found = image.getcolors(image.width * image.height)
    assert found is not None
    return {colour for _, colour in found if isinstance(colour, tuple)}  # type: ignore[misc]

"""The sandbox answers as the real server did, exchange by exchange."""

import re
from typing import Any

import pytest

from .recorded import RECORDINGS, Arrangement, Recording
from .support import Client, Clock

_DATA_NAMES = {
    "configuration",
    "container",
    "hyperparams",
    "last_metrics",
    "metadata",
    "metric_stats",
    "requirements",
    "runtime",
}
"""Fields whose keys are data: sections, metrics, packages."""


def field_names(value: Any, path: str = "") -> set[str]:
    """The paths of all fields; those of a list are the ones that any of its items has."""
    if isinstance(value, list):
        return {name for item in value for name in field_names(item, f"{path}[]")}
    if not isinstance(value, dict):
        return set()
    names: set[str] = set()
    for key, item in value.items():
        names.add(f"{path}.{key}")
        if key not in _DATA_NAMES:
            names |= field_names(item, f"{path}.{key}")
    return names


def empty_fields(value: Any, path: str = "") -> set[str]:
    """The paths of what is empty, of whose content a recording therefore tells nothing."""
    if value in ([], {}, None):
        return {path}
    if isinstance(value, list):
        return {name for item in value for name in empty_fields(item, f"{path}[]")}
    if isinstance(value, dict):
        return {name for key, item in value.items() for name in empty_fields(item, f"{path}.{key}")}
    return set()


def without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "<id>", text)


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
async def test_answers_as_recorded(recording: Recording, client: Client, clock: Clock) -> None:
    arrangement = Arrangement(client, clock, recording)
    headers = await arrangement.prepare()

    url = client.sandbox.url + recording.path
    async with client.session.request(recording.method, url, data=arrangement.body(), headers=headers) as response:
        envelope = await response.json()

    meta = envelope["meta"]
    assert (response.status, meta["result_code"]) == (recording.status, recording.status), meta["result_msg"]
    assert meta["result_subcode"] == recording.subcode, meta["result_msg"]
    assert without_ids(meta["result_msg"]) == without_ids(recording.message)
    assert meta["endpoint"] == {
        **recording.response["meta"]["endpoint"],
        "requested_version": meta["endpoint"]["requested_version"],
    }
    assert set(meta) == set(recording.response["meta"])

    recorded, answered = field_names(recording.data), field_names(envelope["data"])
    untold = empty_fields(recording.data)
    surplus = {
        name for name in answered - recorded if not any(name.startswith((f"{p}[", f"{p}.")) for p in untold)
    }
    assert recorded - answered == set()
    assert surplus == set()


def test_the_recordings_are_all_there() -> None:
    assert len(RECORDINGS) == 234

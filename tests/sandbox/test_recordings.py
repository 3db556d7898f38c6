"""The sandbox answers like the real server, in each recorded exchange."""

import re
from typing import Any

import pytest

from .recordings import RECORDINGS, Recording, RecordingSetup
from .support import Client, Clock

_FREE_FORM_FIELDS = {
    "configuration",
    "container",
    "hyperparams",
    "last_metrics",
    "metadata",
    "metric_stats",
    "requirements",
    "runtime",
}
"""Fields with data as keys: sections, metrics, packages."""


def list_field_names(value: Any, path: str = "") -> set[str]:
    """Return the paths of all fields. A list has the fields of all its items."""
    if isinstance(value, list):
        return {name for item in value for name in list_field_names(item, f"{path}[]")}
    if not isinstance(value, dict):
        return set()
    names: set[str] = set()
    for key, item in value.items():
        names.add(f"{path}.{key}")
        if key not in _FREE_FORM_FIELDS:
            names |= list_field_names(item, f"{path}.{key}")
    return names


def list_empty_fields(value: Any, path: str = "") -> set[str]:
    """Return the paths of empty values. A recording doesn't show what they can contain."""
    if value in ([], {}, None):
        return {path}
    if isinstance(value, list):
        return {name for item in value for name in list_empty_fields(item, f"{path}[]")}
    if isinstance(value, dict):
        return {name for key, item in value.items() for name in list_empty_fields(item, f"{path}.{key}")}
    return set()


def mask_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "<id>", text)


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
async def test_sandbox_answers_as_the_real_server_did(recording: Recording, client: Client, clock: Clock) -> None:
    setup = RecordingSetup(client, clock, recording)
    headers = await setup.prepare()

    url = client.sandbox.url + recording.path
    async with client.session.request(recording.method, url, data=setup.build_body(), headers=headers) as response:
        envelope = await response.json()

    meta = envelope["meta"]
    assert (response.status, meta["result_code"]) == (recording.status, recording.status), meta["result_msg"]
    assert meta["result_subcode"] == recording.subcode, meta["result_msg"]
    assert mask_ids(meta["result_msg"]) == mask_ids(recording.message)
    assert meta["endpoint"] == {
        **recording.response["meta"]["endpoint"],
        "requested_version": meta["endpoint"]["requested_version"],
    }
    assert set(meta) == set(recording.response["meta"])

    recorded, answered = list_field_names(recording.data), list_field_names(envelope["data"])
    empty_paths = list_empty_fields(recording.data)
    unexpected = {
        name for name in answered - recorded if not any(name.startswith((f"{p}[", f"{p}.")) for p in empty_paths)
    }
    assert recorded - answered == set()
    assert unexpected == set()


def test_all_recordings_are_loaded() -> None:
    assert len(RECORDINGS) == 234

"""The base class for calls to ClearML's API as one identity, and a check for its error codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.services.clearml_gateway.session import ClearMLSession

_MAX_PAGE_SIZE = 500


class ApiClient:
    """Calls ClearML's API, as the user `impersonated_user_id` if the bot's credentials allow it."""

    def __init__(self, session: ClearMLSession, *, impersonated_user_id: str = "") -> None:
        self._session = session
        self._impersonated_user_id = impersonated_user_id

    async def _call(self, endpoint: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._session.call(endpoint, body, impersonated_user_id=self._impersonated_user_id)

    async def _get_tasks(self, ids: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return these fields of the experiments with these full ids, including archived ones.

        Makes one request per 500 ids: beyond that the server silently leaves out the rest.
        """
        tasks: list[dict[str, Any]] = []
        for start in range(0, len(ids), _MAX_PAGE_SIZE):
            body = {
                "id": list(ids[start : start + _MAX_PAGE_SIZE]),
                "only_fields": list(fields),
                "page": 0,
                "page_size": _MAX_PAGE_SIZE,
                "search_hidden": True,
            }
            tasks += (await self._call("tasks.get_all_ex", body))["tasks"]
        return tasks


def has_code(error: ClearMLError, result_code: int, result_subcode: int) -> bool:
    """Return whether ClearML refused with exactly this code and subcode."""
    return (error.values.get("result_code"), error.values.get("result_subcode")) == (
        result_code,
        result_subcode,
    )

"""One call of ClearML's API, as one identity; and how it says no."""

from collections.abc import Mapping, Sequence
from typing import Any

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.services.clearml_gateway.session import (
    ClearMLSession,
)

_MAX_PAGE_SIZE = 500


class ApiClient:
    """What every part of the API is called by; with an `acting_user_id` as that user, where the bot may."""

    def __init__(self, session: ClearMLSession, *, impersonated_user_id: str = "") -> None:
        self._session = session
        self._impersonated_user_id = impersonated_user_id

    async def _call(self, endpoint: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._session.call(endpoint, body, impersonated_user_id=self._impersonated_user_id)

    async def _get_tasks(self, ids: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
        """These fields of the experiments with these full ids, archived ones too; one request for each 500.

        Asked for more the server would leave out the rest without a word.
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
    """Whether ClearML refused with exactly this code and subcode."""
    return (error.values.get("result_code"), error.values.get("result_subcode")) == (
        result_code,
        result_subcode,
    )

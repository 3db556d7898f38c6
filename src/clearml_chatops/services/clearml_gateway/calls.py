"""One call of ClearML's API, as one identity; and how it says no."""

from collections.abc import Mapping
from typing import Any

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.services.clearml_gateway.session import (
    ClearMLSession,
)


class Calls:
    """What every part of the API is called by; with an `acting_user_id` as that user, where the bot may."""

    def __init__(self, session: ClearMLSession, *, acting_user_id: str = "") -> None:
        self._session = session
        self._acting_user_id = acting_user_id

    async def _call(self, endpoint: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._session.call(endpoint, body, acting_user_id=self._acting_user_id)


def has_code(error: ClearMLError, result_code: int, result_subcode: int) -> bool:
    """Whether ClearML refused with exactly this code and subcode."""
    return (error.values.get("result_code"), error.values.get("result_subcode")) == (
        result_code,
        result_subcode,
    )

"""Requests about the server itself."""

from clearml_chatops.services.clearml_gateway.api_client import ApiClient

ApiVersion = tuple[int, int]


class ServerInfo(ApiClient):
    """The part of ClearML's API that tells which server answers."""

    async def supports_api(self, version: ApiVersion) -> bool:
        """Return whether the server has what was added in this API version. One request.

        Not remembered, because the server can be updated while the bot runs.
        """
        data = await self._call("server.info", {})
        return _parse_version(str(data.get("api_version") or "")) >= version


def _parse_version(text: str) -> tuple[int, ...]:
    """Return the numbers of a version; none, which counts as older than any, if it can't be read."""
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()

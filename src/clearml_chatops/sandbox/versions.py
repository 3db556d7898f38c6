"""The ClearML servers that the sandbox can play. What differs between them is where it is answered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerVersion:
    """A release of the open-source server."""

    api: str
    server: str

    def supports(self, api_version: str) -> bool:
        """Return whether it has what was added in this API version."""
        return parse_version(self.api) >= parse_version(api_version)


SERVER_VERSIONS = {
    version.api: version
    for version in (
        ServerVersion("2.23", "1.9.2"),
        ServerVersion("2.30", "1.16.0"),
        ServerVersion("2.34", "2.3.0"),
    )
}
NEWEST_API_VERSION = "2.34"


def find_server_version(api_version: str) -> ServerVersion:
    """Return the server with this API version.

    Raises:
        ValueError: The sandbox can't play it.
    """
    if api_version not in SERVER_VERSIONS:
        message = f"The sandbox can play API {', '.join(SERVER_VERSIONS)}, not {api_version}."
        raise ValueError(message)
    return SERVER_VERSIONS[api_version]


def parse_version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))

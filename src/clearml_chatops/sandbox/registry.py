"""The registry of endpoints: functions of a call, registered by name and first API version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import ENDPOINT_NOT_FOUND, ApiError
from clearml_chatops.sandbox.state import State, User
from clearml_chatops.sandbox.tokens import Tokens
from clearml_chatops.sandbox.validation import Field, check_fields, select_known_fields
from clearml_chatops.sandbox.versions import ServerVersion, parse_version


@dataclass(frozen=True, kw_only=True)
class Call:
    """An authenticated request for an endpoint."""

    state: State
    tokens: Tokens
    user: User
    data: Document
    address: str = "127.0.0.1"
    batch: list[object] = field(default_factory=list)
    """The items of a request with JSON lines as its body (events.add_batch)."""

    def get_text(self, name: str) -> str:
        """Return a text field of the request, or an empty string."""
        return str(self.data.get(name) or "")

    def get_flag(self, name: str, *, default: bool = False) -> bool:
        value = self.data.get(name)
        if value is None:
            return default
        # in a query string all values are text
        return value.lower() in {"true", "1"} if isinstance(value, str) else bool(value)


Handler = Callable[[Call], Document]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the API with its handler."""

    name: str
    since: str
    added: str
    fields: Mapping[str, Field]
    handler: Handler

    def answer(self, call: Call) -> Document:
        data = select_known_fields(call.data, self.fields, call.state.version)
        check_fields(data, self.fields)
        return self.handler(replace(call, data=data))


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(
    name: str, /, *, since: str = "1.0", added: str = "1.0", **fields: Field
) -> Callable[[Handler], Handler]:
    """Register a function as an endpoint.

    Args:
        name: `service.action`.
        since: The first API version that a request may ask for. A request for an older version gets 404/0.
        added: The first server that has it, by its API version. Before that server it is 404/0 in any version.
        fields: The fields of the request to check before the function is called.
    """

    def register(handler: Handler) -> Handler:
        ENDPOINTS[name] = Endpoint(name, since, added, fields, handler)
        return handler

    return register


def find_endpoint(name: str, version: str, server: ServerVersion) -> Endpoint:
    """Return the endpoint for a requested version.

    Raises:
        ApiError: 404/0, it doesn't exist or was added in a later version.
    """
    found = ENDPOINTS.get(name)
    if found is None or not server.supports(found.added) or parse_version(version) < parse_version(found.since):
        error = ApiError(ENDPOINT_NOT_FOUND)
        error.message = f"{ENDPOINT_NOT_FOUND.text} {name} and version {version}"
        raise error
    return found

"""The endpoints: each a function of the call, registered by name with the version it begins at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import ENDPOINT_NOT_FOUND, ApiError
from clearml_chatops.sandbox.state import State, User
from clearml_chatops.sandbox.tokens import Tokens
from clearml_chatops.sandbox.validation import Field, check_fields

API_VERSION = "2.34"
SERVER_VERSION = "2.3.0"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One authenticated request on its way to its endpoint."""

    state: State
    tokens: Tokens
    user: User
    data: Document
    address: str = "127.0.0.1"
    batch: list[object] = field(default_factory=list)
    """The items of a request whose body is JSON lines (events.add_batch)."""

    def get_text(self, name: str) -> str:
        """A text field of the request, empty where it is absent."""
        return str(self.data.get(name) or "")

    def get_flag(self, name: str, *, default: bool = False) -> bool:
        value = self.data.get(name)
        if value is None:
            return default
        # in a query string every value is text
        return value.lower() in {"true", "1"} if isinstance(value, str) else bool(value)


Handler = Callable[[Call], Document]


@dataclass(frozen=True)
class Endpoint:
    """A name of the API with what answers it."""

    name: str
    since: str
    fields: Mapping[str, Field]
    handler: Handler

    def answer(self, call: Call) -> Document:
        check_fields(call.data, self.fields)
        return self.handler(call)


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(name: str, /, *, since: str = "1.0", **fields: Field) -> Callable[[Handler], Handler]:
    """Registers a function as an endpoint.

    Args:
        name: `service.action`.
        since: The least version of the API that has it; an older request gets 404/0.
        fields: The fields of the request that are checked before the function is called.
    """

    def register(handler: Handler) -> Handler:
        ENDPOINTS[name] = Endpoint(name, since, fields, handler)
        return handler

    return register


def find_endpoint(name: str, version: str) -> Endpoint:
    """The endpoint for a requested version.

    Raises:
        ApiError: 404/0, there is none of that name or it came with a later version.
    """
    found = ENDPOINTS.get(name)
    if found is None or _parse_version(version) < _parse_version(found.since):
        error = ApiError(ENDPOINT_NOT_FOUND)
        error.message = f"{ENDPOINT_NOT_FOUND.text} {name} and version {version}"
        raise error
    return found


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))

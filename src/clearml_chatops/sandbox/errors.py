"""The API errors of a ClearML server: HTTP status, subcode and text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error. `code` is both the HTTP status and the envelope's result code."""

    code: int
    subcode: int
    text: str


class ApiError(Exception):
    """Ends a call with an error response.

    Args:
        kind: The error of the API.
        detail: The text in parentheses after the kind's text.
        context: The `name=value` pairs after a colon.
    """

    def __init__(self, kind: ErrorKind, detail: str = "", **context: object) -> None:
        message = kind.text
        if detail:
            message += f" ({detail})"
        if context:
            message += ": " + ", ".join(f"{name}={value}" for name, value in context.items())
        super().__init__(message)
        self.kind = kind
        self.message = message


MALFORMED_REQUEST = ErrorKind(
    400, 0, "The browser (or proxy) sent a request that this server could not understand."
)
INVALID_PATH = ErrorKind(400, 0, "Invalid request path")
IMPERSONATION_NOT_ALLOWED = ErrorKind(400, 6, "Impersonation error")
VALIDATION = ErrorKind(400, 12, "Validation error")
UNKNOWN_FIELD = ErrorKind(400, 14, "Lookup error")
INVALID_FIELD_VALUE = ErrorKind(400, 16, "Invalid value for fields")
MALFORMED_REGEX = ErrorKind(400, 21, "Malformed regular expression")
TASK_NOT_FOUND = ErrorKind(400, 101, "Invalid task id")
INVALID_TASK_STATUS = ErrorKind(400, 110, "Invalid task status")
TASK_NOT_DELETABLE = ErrorKind(400, 123, "Task cannot be deleted")
EVENTS_NOT_ADDED = ErrorKind(400, 131, "Events not added")
MODEL_NOT_FOUND = ErrorKind(400, 201, "Invalid model id")
PROJECT_NOT_FOUND = ErrorKind(400, 401, "Invalid project id")
PROJECT_HAS_TASKS = ErrorKind(400, 402, "Project has associated tasks")
QUEUE_NOT_FOUND = ErrorKind(400, 701, "Invalid queue id")
QUEUE_NOT_EMPTY = ErrorKind(400, 702, "Queue is not empty")
TASK_NOT_IN_QUEUE = ErrorKind(400, 703, "Invalid queue id or task not in queue")
NO_DEFAULT_QUEUE = ErrorKind(400, 705, "No queue is tagged as the default queue for this company")
TASK_ALREADY_QUEUED = ErrorKind(400, 706, "Failed adding task to queue since task is already queued")
DATA_VALIDATION = ErrorKind(400, 800, "Data validation error")
NOT_UNIQUE = ErrorKind(400, 801, "Value combination already exists")
PROJECT_EXISTS = ErrorKind(400, 801, "Project with the same name already exists")
BAD_SCHEME = ErrorKind(401, 10, "Unauthorized (bad authentication header type)")
MISSING_CREDENTIALS = ErrorKind(401, 20, "Unauthorized (missing credentials)")
BAD_CREDENTIALS = ErrorKind(401, 22, "Unauthorized (invalid credentials)")
INVALID_TOKEN = ErrorKind(401, 30, "Invalid token (invalid jwt token)")
ROLE_FORBIDDEN = ErrorKind(403, 20, "Forbidden (not allowed for role)")
ENDPOINT_NOT_FOUND = ErrorKind(404, 0, "Unable to find endpoint for name")
NOT_A_DICT = ErrorKind(500, 0, "Data should be a dict")
INTERNAL = ErrorKind(500, 100, "General data error")

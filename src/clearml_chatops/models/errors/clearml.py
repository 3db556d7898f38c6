"""What is wrong with ClearML's server, or the way to it."""

from clearml_chatops.models.errors.base import ChatOpsError


class ClearMLError(ChatOpsError):
    """The server refused a request with a reason of its own that no other class stands for."""

    code = "clearml"
    text = "ClearML refused {endpoint}: {reason} (code {result_code}/{result_subcode}). Nothing was changed."


class ClearMLUnreachableError(ClearMLError):
    """No connection, or no answer in time."""

    code = "clearml_unreachable"
    text = (
        "ClearML at {host} does not answer ({reason}); check that CLEARML_API_HOST is right and that the "
        "server runs, and try again."
    )


class ClearMLResponseLostError(ClearMLError):
    """A write was sent and its answer did not arrive: it may or may not have been done."""

    code = "clearml_response_lost"
    text = (
        "ClearML at {host} did not answer {endpoint} ({reason}), so it may or may not have been done; "
        "look with /show before you repeat it."
    )


class ClearMLCredentialsError(ClearMLError):
    """401: the access key or the secret key is wrong or revoked."""

    code = "clearml_credentials"
    text = (
        "ClearML at {host} does not accept the credentials; check CLEARML_API_ACCESS_KEY and "
        "CLEARML_API_SECRET_KEY (or clearml.conf)."
    )


class ClearMLServerError(ClearMLError):
    """5xx: the server has a fault of its own."""

    code = "clearml_server_error"
    text = "ClearML at {host} has a fault (HTTP {status} to {endpoint}); try again, and look at the server's log."


class ClearMLInvalidResponseError(ClearMLError):
    """The answer is no JSON, or not in ClearML's envelope: usually a proxy or the wrong port."""

    code = "clearml_invalid_response"
    text = (
        "{host} answered {endpoint} with something that is not ClearML's; check that CLEARML_API_HOST is the "
        "API server (usually port 8008) and that no proxy stands between."
    )

"""Errors of ClearML's server and of the connection to it."""

from clearml_chatops.models.errors.base import ChatOpsError


class ClearMLError(ChatOpsError):
    """The server refused a request for a reason that no other class covers."""

    code = "clearml"
    text = "ClearML refused {endpoint}: {reason} (code {result_code}/{result_subcode}). Nothing was changed."


class ClearMLUnreachableError(ClearMLError):
    """No connection, or no response in time."""

    code = "clearml_unreachable"
    text = (
        "ClearML at {host} doesn't answer ({reason}). Check CLEARML_API_HOST and that the server is running, "
        "then try again."
    )


class ClearMLResponseLostError(ClearMLError):
    """A write was sent and its response did not arrive: it may or may not have been carried out."""

    code = "clearml_response_lost"
    text = (
        "ClearML at {host} didn't answer {endpoint} ({reason}), so the change may or may not have been made. "
        "Check with /show before you try again."
    )


class ClearMLCredentialsError(ClearMLError):
    """401: the access key or the secret key is wrong or revoked."""

    code = "clearml_credentials"
    text = (
        "ClearML at {host} doesn't accept the credentials. Check CLEARML_API_ACCESS_KEY and "
        "CLEARML_API_SECRET_KEY (or clearml.conf)."
    )


class ClearMLServerError(ClearMLError):
    """5xx: an error inside the server."""

    code = "clearml_server_error"
    text = (
        "ClearML at {host} has an internal error (HTTP {status} on {endpoint}). Try again, and check the "
        "server's log."
    )


class ClearMLInvalidResponseError(ClearMLError):
    """The response is not JSON, or not in ClearML's envelope: usually a proxy or the wrong port."""

    code = "clearml_invalid_response"
    text = (
        "{host} didn't answer {endpoint} as ClearML does. Check that CLEARML_API_HOST is the API server "
        "(usually port 8008) and that no proxy is in between."
    )

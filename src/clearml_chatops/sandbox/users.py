"""Users and their keys: signing in, reading users, creating and revoking credentials."""

import secrets
from datetime import timedelta

from clearml_chatops.sandbox import queries
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import ROLE_FORBIDDEN, ApiError
from clearml_chatops.sandbox.filters import Filters
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import COMPANY_NAME, Credentials, State, User
from clearml_chatops.sandbox.tokens import TOKEN_LIFETIME
from clearml_chatops.sandbox.validation import INTEGER, REQUIRED_TEXT, TEXT, TEXT_OR_LIST
from clearml_chatops.sandbox.versions import ServerVersion

USER_SCHEMA = Schema(
    fields=frozenset(
        ["id", "company", "name", "family_name", "given_name", "avatar", "created", "created_in_version"]
    ),
    filters=Filters(dates=("created",)),
    references={"company": "companies"},
)


def build_version_claims(version: ServerVersion) -> Document:
    """Return the token claims that tell SDK and agent what the server supports."""
    return {
        "api_version": version.api,
        "server_version": version.server,
        "server_build": "",
        "feature_set": "basic",
    }


def build_identity(state: State, user: User) -> Document:
    return {
        "user": user.id,
        "user_name": user.name,
        "role": user.role,
        "company": state.company,
        "company_name": COMPANY_NAME,
    }


@endpoint("auth.login", expiration_sec=INTEGER)
def login(call: Call) -> Document:
    seconds = call.data.get("expiration_sec")
    lifetime = timedelta(seconds=seconds) if seconds else TOKEN_LIFETIME
    claims = build_version_claims(call.state.version)
    return {"token": call.tokens.issue(build_identity(call.state, call.user), claims, lifetime=lifetime)}


@endpoint("auth.logout", since="2.2")
def logout(_: Call) -> Document:
    return {}


@endpoint("auth.create_credentials", label=TEXT)
def create_credentials(call: Call) -> Document:
    """Create another pair of keys for the caller."""
    access_key, secret_key = secrets.token_hex(15).upper(), secrets.token_urlsafe(48)
    call.state.credentials[access_key] = Credentials(secret_key, call.user.id, call.get_text("label"))
    return {"credentials": {"access_key": access_key, "label": call.get_text("label"), "secret_key": secret_key}}


@endpoint("auth.get_credentials")
def get_credentials(call: Call) -> Document:
    """Return the caller's access keys, without the secrets."""
    return {
        "credentials": [
            {"access_key": key, "label": credentials.label}
            for key, credentials in call.state.credentials.items()
            if credentials.user == call.user.id
        ]
    }


@endpoint("auth.revoke_credentials", access_key=REQUIRED_TEXT)
def revoke_credentials(call: Call) -> Document:
    """Revoke one of the caller's pairs of keys. Tokens issued with it stay valid, as on the real server."""
    credentials = call.state.credentials.get(call.data["access_key"])
    if credentials is None or credentials.user != call.user.id:
        return {"revoked": 0}
    del call.state.credentials[call.data["access_key"]]
    return {"revoked": 1}


def _reject_role(call: Call) -> Document:
    raise ApiError(ROLE_FORBIDDEN, role=call.user.role, allowed="(system, root)")


for _name in ("users.create", "users.delete", "auth.get_token_for_user", "auth.create_user"):
    # administration needs a role that nobody has, not even the admin
    endpoint(_name)(_reject_role)


@endpoint("users.get_current_user")
def get_current_user(call: Call) -> Document:
    document = _to_document(call.state, call.user)
    document["company"] = {"id": call.state.company, "name": COMPANY_NAME}
    return {
        "user": {**document, "role": call.user.role},
        "getting_started": {
            "agentName": "clearml",
            "configure": "clearml-init",
            "install": "pip install clearml",
            "packageName": "clearml",
        },
        "settings": {"max_download_items": 50000},
    }


@endpoint("users.get_by_id", user=REQUIRED_TEXT)
def get_by_id(call: Call) -> Document:
    user = call.state.users.get(call.data["user"])
    return {"user": _to_document(call.state, user) if user else None}


@endpoint("users.get_all", only_fields=TEXT_OR_LIST)
def get_all(call: Call) -> Document:
    found = queries.find(call.state, _build_documents(call.state), call.data, USER_SCHEMA)
    return {"users": [queries.select_fields(user, call.data, USER_SCHEMA) for user in found]}


@endpoint("users.get_all_ex", since="2.8", only_fields=TEXT_OR_LIST)
def get_all_ex(call: Call) -> Document:
    found = queries.find(call.state, _build_documents(call.state), call.data, USER_SCHEMA)
    return {"users": [queries.expand_references(call.state, user, call.data, USER_SCHEMA) for user in found]}


def _build_documents(state: State) -> dict[str, Document]:
    return {user.id: _to_document(state, user) for user in state.users.values()}


def _to_document(state: State, user: User) -> Document:
    given, _, family = user.name.partition(" ")
    document: Document = {
        "id": user.id,
        "company": state.company,
        "name": user.name,
        "created": user.created,
    }
    if user.role != "system":
        # the server's own account has no given or family name
        document.update(family_name=family, given_name=given, created_in_version=state.version.server)
    return document

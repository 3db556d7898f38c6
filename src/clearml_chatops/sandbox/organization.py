"""Endpoints of the server and of the whole company: version, ping, tags, models."""

from clearml_chatops.sandbox import queries
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import MODEL_NOT_FOUND, ApiError
from clearml_chatops.sandbox.filters import Filters
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.validation import REQUIRED_TEXT, TEXT_OR_LIST

MODEL_SCHEMA = Schema(
    fields=frozenset(
        [
            "id",
            "company",
            "user",
            "name",
            "framework",
            "uri",
            "created",
            "last_update",
            "ready",
            "project",
            "task",
            "tags",
            "system_tags",
            "labels",
            "design",
            "comment",
            "parent",
            "metadata",
        ]
    ),
    filters=Filters(
        lists=("id", "user", "project", "task", "tags", "system_tags", "framework", "uri"),
        dates=("created", "last_update"),
    ),
    references={"company": "companies", "user": "users", "project": "projects", "task": "tasks"},
)


@endpoint("debug.ping")
def ping(_: Call) -> Document:
    return {"msg": "ClearML server"}


@endpoint("server.info", since="2.12")
def info(call: Call) -> Document:
    version = call.state.version
    return {"version": version.server, "build": "", "commit": "", "api_version": version.api}


@endpoint("organization.get_tags")
def get_tags(call: Call) -> Document:
    """Return the tags of tasks and models."""
    documents = [*call.state.tasks.values(), *call.state.models.values()]
    answer = {"tags": sorted({tag for document in documents for tag in document["tags"]})}
    if call.get_flag("include_system"):
        answer["system_tags"] = sorted({tag for document in documents for tag in document["system_tags"]})
    return answer


@endpoint("models.get_by_id", model=REQUIRED_TEXT)
def get_model(call: Call) -> Document:
    model = call.state.models.get(call.data["model"])
    if model is None:
        raise ApiError(MODEL_NOT_FOUND, id=call.data["model"], company=call.state.company)
    return {"model": model}


@endpoint("models.get_all", only_fields=TEXT_OR_LIST)
def get_models(call: Call) -> Document:
    found = queries.find(call.state, call.state.models, call.data, MODEL_SCHEMA)
    answer = {"models": [queries.select_fields(model, call.data, MODEL_SCHEMA) for model in found]}
    return {**answer, **queries.advance_scroll(call.state, call.data, found)}


@endpoint("models.get_all_ex", only_fields=TEXT_OR_LIST)
def get_models_ex(call: Call) -> Document:
    found = queries.find(call.state, call.state.models, call.data, MODEL_SCHEMA)
    answer = {"models": [queries.expand_references(call.state, model, call.data, MODEL_SCHEMA) for model in found]}
    return {**answer, **queries.advance_scroll(call.state, call.data, found)}

"""The `…_many` endpoints: one action on several tasks, with a result for each task."""

from collections.abc import Callable
from dataclasses import replace

from clearml_chatops.sandbox import enqueueing, task_status, tasks
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import ApiError
from clearml_chatops.sandbox.registry import Call, Handler, endpoint
from clearml_chatops.sandbox.validation import REQUIRED_LIST


def _build_bulk_handler(action: Handler) -> Handler:
    def handle(call: Call) -> Document:
        succeeded: list[Document] = []
        failed: list[Document] = []
        for id_ in call.data["ids"]:
            data = {name: value for name, value in call.data.items() if name != "ids"}
            try:
                result = action(replace(call, data={**data, "task": id_}))
            except ApiError as error:
                codes = [error.kind.code, error.kind.subcode]
                failed.append({"id": id_, "error": {"codes": codes, "msg": error.message, "data": {}}})
            else:
                succeeded.append({"id": id_, **result})
        return {"succeeded": succeeded, "failed": failed}

    return handle


def _build_task_handler(action: Callable[[Call, Document], None], result_field: str) -> Handler:
    def handle(call: Call) -> Document:
        action(call, call.state.require_task(call.data["task"]))
        return {result_field: True}

    return handle


for _name, _action in {
    "tasks.enqueue_many": enqueueing.enqueue,
    "tasks.dequeue_many": enqueueing.dequeue_task,
    "tasks.stop_many": task_status.stop,
    "tasks.reset_many": task_status.reset,
    "tasks.publish_many": task_status.publish,
    "tasks.delete_many": tasks.delete,
    "tasks.archive_many": _build_task_handler(tasks.archive_task, "archived"),
    "tasks.unarchive_many": _build_task_handler(tasks.unarchive_task, "unarchived"),
}.items():
    # only tasks.dequeue_many reads `new_status`
    endpoint(_name, since="2.13", ids=REQUIRED_LIST, new_status=enqueueing.NEW_STATUS)(
        _build_bulk_handler(_action)
    )

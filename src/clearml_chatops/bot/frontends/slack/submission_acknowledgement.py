"""The acknowledgement of a submitted form: errors at its fields, or that the answer follows in the modal.

Slack shows errors at fields only in the acknowledgement, and waits three seconds for it. So it waits for the
answer to the command, but not longer than Slack does.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from clearml_chatops.bot.frontends.slack.modal_views import build_loading_view


class SubmissionAcknowledgement:
    """Create it in a running event loop. What is chosen first counts."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout
        self._choice: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()

    def show_errors(self, errors: Mapping[str, str]) -> bool:
        """Show errors by block_id, in the form as the person left it. Return False if it's too late for that."""
        if self._choice.done():
            return False
        self._choice.set_result(errors)
        return True

    def show_loading_view(self) -> None:
        """Replace the form with the loading view, until the answer replaces that."""
        self.show_errors({})

    async def wait(self) -> dict[str, Any]:
        """Return the arguments of Bolt's `ack`, at the latest after the timeout."""
        await asyncio.wait({self._choice}, timeout=self._timeout.total_seconds())
        self.show_loading_view()
        errors = self._choice.result()
        if errors:
            return {"response_action": "errors", "errors": dict(errors)}
        return {"response_action": "update", "view": build_loading_view()}

"""Slack's Web API as the front end uses it: rate limited, with uniform errors."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.api_errors import translate_errors
from clearml_chatops.bot.frontends.slack.rate_limiter import RateLimiter
from clearml_chatops.bot.frontends.slack.rendering import File, RenderedMessage

_MAX_RETRIES = 5
_MAX_CACHED_NAMES = 1000
_HTTP_OK = 200
_EDIT_INTERVAL = timedelta(seconds=1.2)
"""Slack accepts about 50 `chat.update` calls per minute and app."""
_EDIT_BURST = 10


def create_web_client(*, token: str, api_url: str, logger: logging.Logger) -> AsyncWebClient:
    """Create a client that obeys `Retry-After`, which the library doesn't do by default."""
    return AsyncWebClient(
        token=token,
        base_url=api_url or AsyncWebClient.BASE_URL,
        logger=logger,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=_MAX_RETRIES),
        ],
    )


class SlackApi:
    """The API calls of the front end.

    All of them raise `DestinationGoneError` if the bot can no longer write there, and `DeliveryFailedError`
    for any other failure.
    """

    def __init__(self, client: AsyncWebClient, message_limiter: RateLimiter) -> None:
        self._client = client
        self._message_limiter = message_limiter
        self._edit_limiter = RateLimiter(interval=_EDIT_INTERVAL, burst=_EDIT_BURST)
        self._direct_channels: dict[str, str] = {}
        self._user_names: dict[str, str] = {}

    async def post(self, channel: str, thread: str, rendered: RenderedMessage) -> str:
        """Post a message. Return its id (`ts`), which later updates need."""
        await self._message_limiter.acquire(channel)
        with translate_errors():
            response = await self._client.chat_postMessage(
                channel=channel,
                thread_ts=thread or None,
                text=rendered.text,
                blocks=rendered.blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(response["ts"])

    async def update(self, channel: str, message_id: str, rendered: RenderedMessage) -> None:
        """Update a message. Slack limits updates apart from new messages."""
        with translate_errors():
            await self._client.chat_update(
                channel=channel, ts=message_id, text=rendered.text, blocks=rendered.blocks
            )

    async def wait_for_edit_slot(self) -> None:
        """Wait until the next card may be updated. Answers to people are updated without waiting."""
        await self._edit_limiter.acquire("")

    async def respond(self, response_url: str, rendered: RenderedMessage, *, public: bool, replace: bool) -> None:
        """Answer a command or button at its response_url. Slack allows 5 uses within 30 minutes."""
        webhook = AsyncWebhookClient(
            response_url,
            logger=self._client.logger,
            proxy=self._client.proxy,
            retry_handlers=self._client.retry_handlers,
        )
        with translate_errors():
            response = await webhook.send(
                text=rendered.text,
                blocks=rendered.blocks,
                response_type="in_channel" if public else "ephemeral",
                replace_original=replace,
            )
        if response.status_code != _HTTP_OK:
            raise DeliveryFailedError(response.body)

    async def upload(self, channel: str, thread: str, files: Sequence[File], *, comment: str = "") -> None:
        """Upload files to a channel that the bot is in, all in one message with an escaped comment."""
        await self._message_limiter.acquire(channel)
        uploads = [
            {"filename": file.name, "content": file.content, "alt_txt": file.description or None} for file in files
        ]
        with translate_errors():
            await self._client.files_upload_v2(
                channel=channel, thread_ts=thread or None, file_uploads=uploads, initial_comment=comment or None
            )

    async def open_direct_channel(self, user_id: str) -> str:
        """Return the channel of the direct messages with a person. Open it if needed."""
        if user_id not in self._direct_channels:
            with translate_errors():
                response = await self._client.conversations_open(users=user_id)
            channel: dict[str, Any] = response["channel"]
            self._direct_channels[user_id] = str(channel["id"])
        return self._direct_channels[user_id]

    async def get_user_name(self, user_id: str) -> str:
        """Return a person's display name, or their id if Slack doesn't give one."""
        if user_id not in self._user_names:
            user = await self._get_user(user_id)
            if not user:
                return user_id
            if len(self._user_names) >= _MAX_CACHED_NAMES:
                self._user_names.clear()
            self._user_names[user_id] = str(
                user.get("profile", {}).get("display_name") or user.get("name") or user_id
            )
        return self._user_names[user_id]

    async def get_time_zone(self, user_id: str) -> str:
        """Return a person's time zone in Slack, such as `Europe/Berlin`, or an empty string if unknown."""
        return str((await self._get_user(user_id)).get("tz") or "")

    async def _get_user(self, user_id: str) -> dict[str, Any]:
        """Return Slack's user object, or an empty one if the call fails."""
        try:
            with translate_errors():
                response = await self._client.users_info(user=user_id)
        except (DeliveryFailedError, DestinationGoneError):
            return {}
        user: dict[str, Any] = response["user"]
        return user

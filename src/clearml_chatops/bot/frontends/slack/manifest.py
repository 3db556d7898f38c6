"""The app manifest that operators paste into Slack: commands, scopes and events of the bot.

The limits are from Slack's published schema (github.com/slackapi/manifest-schema, version 1).
"""

from collections.abc import Iterator
from typing import Any

from clearml_chatops.bot.frontends.slack.incoming_requests import ROOT_COMMAND
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT
from clearml_chatops.bot.frontends.slack.startup_checks import REQUIRED_SCOPES
from clearml_chatops.handlers.registry import Command, Registry

MAX_COMMANDS = 50
MAX_COMMAND_LENGTH = 32
MAX_DESCRIPTION_LENGTH = 2000
MAX_HINT_LENGTH = 1000
BUILT_IN_COMMANDS = frozenset(
    {
        "/active",
        "/apps",
        "/archive",
        "/away",
        "/call",
        "/clear",
        "/collapse",
        "/dm",
        "/dnd",
        "/expand",
        "/feed",
        "/feedback",
        "/help",
        "/huddle",
        "/invite",
        "/invite_people",
        "/join",
        "/keys",
        "/kick",
        "/leave",
        "/me",
        "/msg",
        "/mute",
        "/open",
        "/part",
        "/people",
        "/poll",
        "/prefs",
        "/pro",
        "/remind",
        "/remove",
        "/rename",
        "/search",
        "/shortcuts",
        "/shrug",
        "/star",
        "/status",
        "/tableflip",
        "/todo",
        "/topic",
        "/unarchive",
        "/unmute",
        "/who",
    }
)
"""Slack's own commands. Slack never calls an app's command of the same name."""
_CLONE_SHORTCUT_ENTRY = {
    "name": "Clone this experiment",
    "type": "message",
    "callback_id": CLONE_SHORTCUT,
    "description": "Clone the experiment that this message is about",
}


def build_manifest(registry: Registry, *, prefix: str = "", request_url: str = "") -> dict[str, Any]:
    """Build the manifest for these commands. `prefix` is put before the bare ones: `ml-` gives `/ml-clone`.

    With a `request_url` the app uses HTTP, otherwise Socket Mode.
    """
    socket_mode_manifest = _build_socket_mode_manifest(registry, prefix)
    return _to_http_manifest(socket_mode_manifest, request_url) if request_url else socket_mode_manifest


def _to_http_manifest(socket_mode_manifest: dict[str, Any], request_url: str) -> dict[str, Any]:
    """Return the manifest with the request URL set for commands, events, interactions and options."""
    commands = [{**command, "url": request_url} for command in socket_mode_manifest["features"]["slash_commands"]]
    settings = {
        **socket_mode_manifest["settings"],
        "event_subscriptions": {
            **socket_mode_manifest["settings"]["event_subscriptions"],
            "request_url": request_url,
        },
        "interactivity": {
            **socket_mode_manifest["settings"]["interactivity"],
            "request_url": request_url,
            "message_menu_options_url": request_url,
        },
        "socket_mode_enabled": False,
    }
    return {
        **socket_mode_manifest,
        "features": {**socket_mode_manifest["features"], "slash_commands": commands},
        "settings": settings,
    }


def _build_socket_mode_manifest(registry: Registry, prefix: str) -> dict[str, Any]:
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "ClearML ChatOps",
            "description": "Clone, change, run and watch ClearML experiments",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "clearml", "always_online": True},
            "shortcuts": [_CLONE_SHORTCUT_ENTRY],
            "slash_commands": [_build_root_command(), *_build_bare_commands(registry, prefix)][:MAX_COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": list(REQUIRED_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_home_opened", "app_mention", "message.im"]},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def _build_root_command() -> dict[str, Any]:
    return _build_slash_command(ROOT_COMMAND, "Run any command of the bot. “help” lists them all.", "<command> …")


def _build_bare_commands(registry: Registry, prefix: str) -> Iterator[dict[str, Any]]:
    for command in registry:
        name = f"/{prefix}{command.name}"
        if (
            " " in command.name
            or command.terminal_only
            or name in BUILT_IN_COMMANDS
            or len(name) > MAX_COMMAND_LENGTH
        ):
            continue
        yield _build_slash_command(name, command.summary, _build_usage_hint(command, registry))


def _build_slash_command(name: str, description: str, hint: str) -> dict[str, Any]:
    # should_escape makes Slack send the ids of mentioned people and channels.
    command = {"command": name, "description": description[:MAX_DESCRIPTION_LENGTH], "should_escape": True}
    return {**command, "usage_hint": hint[:MAX_HINT_LENGTH]} if hint else command


def _build_usage_hint(command: Command, registry: Registry) -> str:
    """Return the arguments that may follow the name."""
    usage = command.usage.removeprefix(f"/{command.name}").strip()
    subcommands = "|".join(registry.list_subcommands(command))
    return " ".join(part for part in (f"[{subcommands}]" if subcommands else "", usage) if part)

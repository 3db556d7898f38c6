"""The app manifest, checked against the limits of Slack's published schema."""

import pytest

from clearml_chatops.bot.frontends.slack import build_manifest, build_request_url
from clearml_chatops.bot.frontends.slack.manifest import BUILT_IN_COMMANDS
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.replies import Reply


@pytest.mark.parametrize("prefix", ["", "ml-"])
def test_manifest_is_within_limits_of_schema(prefix: str) -> None:
    app_manifest = build_manifest(build_registry(), prefix=prefix)
    assert len(app_manifest["display_information"]["name"]) <= 35
    assert len(app_manifest["display_information"]["description"]) <= 140
    assert 1 <= len(app_manifest["features"]["bot_user"]["display_name"]) <= 80
    assert 1 <= len(app_manifest["features"]["shortcuts"]) <= 10
    for shortcut in app_manifest["features"]["shortcuts"]:
        assert set(shortcut) == {"name", "type", "callback_id", "description"}
        assert shortcut["type"] in {"message", "global"}
        assert 1 <= len(shortcut["name"]) <= 24
        assert 1 <= len(shortcut["callback_id"]) <= 255
        assert 1 <= len(shortcut["description"]) <= 150
    events = app_manifest["settings"]["event_subscriptions"]["bot_events"]
    assert len(events) == len(set(events)) <= 100
    commands = app_manifest["features"]["slash_commands"]
    names = [command["command"] for command in commands]
    assert names[0] == "/clearml"
    assert f"/{prefix}clone" in names
    assert len(names) == len(set(names)) <= 50
    assert not BUILT_IN_COMMANDS & set(names)
    for command in commands:
        assert command["command"] == command["command"].lower()
        assert " " not in command["command"]
        assert len(command["command"]) <= 32
        assert 1 <= len(command["description"]) <= 2000
        assert 1 <= len(command.get("usage_hint", "-")) <= 1000
        # With Socket Mode a command has no URL.
        assert "url" not in command


def test_built_in_name_is_available_with_prefix() -> None:
    bare, prefixed = (
        [
            command["command"]
            for command in build_manifest(build_registry(), prefix=prefix)["features"]["slash_commands"]
        ]
        for prefix in ("", "ml-")
    )
    assert "/archive" not in bare
    assert "/ml-archive" in prefixed


def test_usage_hint_lists_arguments() -> None:
    hints = {
        command["command"]: command.get("usage_hint", "")
        for command in build_manifest(build_registry())["features"]["slash_commands"]
    }
    assert hints["/queue"].startswith("[list|create|use|move|rename|delete]")
    assert hints["/clone"].startswith("[experiment]")
    assert hints["/use"].startswith("<experiment>")


def test_commands_over_limit_are_left_to_root_command() -> None:
    family = CommandFamily("Many")
    for number in range(80):

        @family.command(f"command{number}", examples=())
        async def handler(context: object) -> Reply:
            """Do something."""
            raise NotImplementedError

    assert len(build_manifest(Registry([family]))["features"]["slash_commands"]) == 50


def test_manifest_requests_only_needed_scopes_and_events() -> None:
    app_manifest = build_manifest(build_registry())
    assert app_manifest["oauth_config"]["scopes"]["bot"] == [
        "commands",
        "chat:write",
        "app_mentions:read",
        "im:history",
        "im:write",
        "files:write",
        "users:read",
    ]
    assert app_manifest["settings"]["socket_mode_enabled"] is True
    assert app_manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert app_manifest["settings"]["event_subscriptions"] == {
        "bot_events": ["app_home_opened", "app_mention", "message.im"]
    }
    assert app_manifest["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_http_manifest_uses_request_url_everywhere() -> None:
    url = "https://bot.example/slack/events"
    app_manifest = build_manifest(build_registry(), request_url=url)
    assert {command["url"] for command in app_manifest["features"]["slash_commands"]} == {url}
    assert app_manifest["settings"]["socket_mode_enabled"] is False
    assert app_manifest["settings"]["interactivity"] == {
        "is_enabled": True,
        "request_url": url,
        "message_menu_options_url": url,
    }
    by_socket_mode = build_manifest(build_registry())
    events = app_manifest["settings"]["event_subscriptions"]
    assert events == {**by_socket_mode["settings"]["event_subscriptions"], "request_url": url}
    assert app_manifest["oauth_config"] == by_socket_mode["oauth_config"]


@pytest.mark.parametrize(
    ("bot_url", "expected"),
    [
        ("https://bot.example", "https://bot.example/slack/events"),
        ("https://bot.example:8443/lab/", "https://bot.example:8443/lab/slack/events"),
        ("https://bot.example/slack/events", "https://bot.example/slack/events"),
    ],
)
def test_request_url_is_below_bot_url(bot_url: str, expected: str) -> None:
    assert build_request_url(bot_url) == expected


@pytest.mark.parametrize(
    "bot_url", ["bot.example", "http://bot.example", "https://", "https://bot.example?x=1", "https://[x"]
)
def test_unusable_bot_url_is_refused(bot_url: str) -> None:
    with pytest.raises(ValueError, match="Slack can't call"):
        build_request_url(bot_url)

"""Deduplication of requests that Slack redelivers."""

from clearml_chatops.bot.frontends.slack.deduplication import Deduplicator


def test_only_newest_keys_are_remembered() -> None:
    duplicates = Deduplicator(max_keys=2)
    assert not duplicates.is_duplicate("a", "")
    assert duplicates.is_duplicate("a")
    assert not duplicates.is_duplicate("b", "c")
    assert not duplicates.is_duplicate("a")

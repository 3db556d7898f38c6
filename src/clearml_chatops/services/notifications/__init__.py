"""Notifications from the outbox, cards, digests, failure diagnosis, and when conversations are quiet."""

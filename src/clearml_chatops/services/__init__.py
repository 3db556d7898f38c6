"""Use cases. Services know nothing of chat: they take and return the dataclasses of `models`."""

"""The use cases. A service knows nothing of chat: it takes and gives the dataclasses of `models`."""

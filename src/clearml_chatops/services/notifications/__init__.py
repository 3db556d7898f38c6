"""How it is told: the outbox's messages and cards, and when nothing is told."""

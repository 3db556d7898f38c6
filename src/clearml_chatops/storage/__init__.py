"""Persistence. Stores take and return models, contain no business logic and never commit."""

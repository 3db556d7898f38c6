"""The workers and cards of this host: ordered, kept running, shared, watched."""

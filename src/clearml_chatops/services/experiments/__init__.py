"""Experiments, their drafts and runs, and the queues they wait in."""

"""Tests of the sandbox: against recordings of a real server, with the real SDK and the real agent."""

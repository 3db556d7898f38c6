"""Tests of the sandbox, with recordings of a real server, the real SDK and the real agent."""

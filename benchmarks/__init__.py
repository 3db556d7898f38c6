"""Benchmarks. They print measurements and assert nothing, as machines differ."""

"""Decides what an output disclosed. Knows items and outputs; knows no scenario, task or harness."""

DISTRIBUTION = "privacy-tasks"
"""Tells this package from another one of the same name on PyPI."""

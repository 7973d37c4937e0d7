"""Checking what a submission claims, without believing any of it."""

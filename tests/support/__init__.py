"""Harnesses: what test modules share."""

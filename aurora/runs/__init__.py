"""Runs: what happens to a turn from the queue to its final state."""

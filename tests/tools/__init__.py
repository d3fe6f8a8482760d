"""The tools, each against a local Discord."""

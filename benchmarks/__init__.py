"""Measurements of Aurora on a real Red in the sandbox: `make bench`."""

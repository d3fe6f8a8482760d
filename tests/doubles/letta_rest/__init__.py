"""The double of the REST API against the recordings of the real server."""

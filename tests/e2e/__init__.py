"""A real Red, a local Discord, a real App Server."""

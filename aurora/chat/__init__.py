"""Chat: what Aurora itself does in Discord, each send with a stored record."""

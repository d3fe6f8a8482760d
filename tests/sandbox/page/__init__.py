"""The chat page: its server, and what is seen of it in a real browser."""

"""Intake: a Discord message becomes an event, or is refused for a named reason."""

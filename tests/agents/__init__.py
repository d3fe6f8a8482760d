"""Agent servers: against recordings and against the real thing."""

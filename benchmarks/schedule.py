"""The load under which latency is measured, and other designs are simulated."""

MENTIONS = 1000
PER_SECOND = 50.0
GUILDS, CHANNELS = 5, 10
"""How many guilds, and how many channels each has; in each of these one person speaks."""
RATE_LIMIT_SECONDS = 0.5

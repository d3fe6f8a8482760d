"""The local Discord, tested with real discord.py calls."""

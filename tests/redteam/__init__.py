"""Attacks: an agent that obeys the attacker, on a real Red before a real server of agents."""

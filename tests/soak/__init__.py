"""The soak: a real Aurora that is killed, cut off and starved, and a checker that counts."""

"""A town under attack: an agent that obeys whoever asks, and the people and places of one case."""

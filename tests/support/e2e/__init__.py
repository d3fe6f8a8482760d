"""What end to end tests share: the town of a real Red, and what can be done in it."""

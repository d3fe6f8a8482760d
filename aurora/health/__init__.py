"""Health: what an admin wants to know, and is told without asking."""

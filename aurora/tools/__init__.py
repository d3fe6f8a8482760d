"""The tools: what an agent may do in Discord through Aurora, and how its calls are answered."""

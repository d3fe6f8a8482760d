"""The Discord tools: what an agent may do through Aurora, and the guard around it."""

"""A place to run Aurora without an account anywhere: a local Discord, a real Red, a real agent."""

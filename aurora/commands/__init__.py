"""The [p]aurora commands: one module per group, each command a one-screen adapter."""

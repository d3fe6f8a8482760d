"""The sandbox, tested."""

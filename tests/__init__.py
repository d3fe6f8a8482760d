"""The tests of Aurora and its sandbox."""

"""The App Server without a model."""

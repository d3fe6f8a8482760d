"""Tests of aurora.errors."""

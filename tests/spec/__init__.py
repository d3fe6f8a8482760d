"""Tests of what documents ask for."""

"""Tests of the REST backend: the SDK, the recordings and the double."""

"""Tests of what people read, in English and in the other languages."""

"""Which model the environment names."""

from __future__ import annotations

import pytest

from doubles.llm import Provider
from sandbox.provider import provider_from_env


def test_no_variables_mean_the_scripted_model() -> None:
    """An empty environment asks for nothing."""
    assert provider_from_env({"AURORA_LLM_API_KEY": ""}) is None


def test_three_variables_name_a_provider() -> None:
    """A slash at the end does no harm."""
    env = {
        "AURORA_LLM_BASE_URL": "https://llm.example/v1/",
        "AURORA_LLM_API_KEY": "k",
        "AURORA_LLM_MODEL": "m",
    }
    assert provider_from_env(env) == Provider("https://llm.example/v1", "k", "m")


def test_half_a_provider_names_what_is_missing() -> None:
    """Some of the three is a mistake, and the error says which are missing."""
    with pytest.raises(ValueError, match="AURORA_LLM_API_KEY and AURORA_LLM_MODEL is not"):
        provider_from_env({"AURORA_LLM_BASE_URL": "https://llm.example/v1"})


def test_a_provider_needs_an_http_address() -> None:
    """An address without a scheme is named."""
    env = {"AURORA_LLM_BASE_URL": "llm", "AURORA_LLM_API_KEY": "k", "AURORA_LLM_MODEL": "m"}
    with pytest.raises(ValueError, match="http:// or https://, not 'llm'"):
        provider_from_env(env)

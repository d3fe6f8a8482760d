"""The real language model that the environment names, if it names one."""

from __future__ import annotations

from collections.abc import Mapping

from doubles.llm import Provider

VARIABLES = ("AURORA_LLM_BASE_URL", "AURORA_LLM_API_KEY", "AURORA_LLM_MODEL")
ABOUT_THE_SCRIPTED = (
    "I am the sandbox's agent: a Letta agent with a scripted model behind it. "
    f"Give it a real model with {VARIABLES[0]}, {VARIABLES[1]} and {VARIABLES[2]}."
)
"""What the scripted model says of itself."""


def provider_from_env(env: Mapping[str, str]) -> Provider | None:
    """Read a real provider from AURORA_LLM_BASE_URL, _API_KEY and _MODEL; None if none is set.

    Raises:
        ValueError: some of the three are set, or the address is no http(s) URL.

    """
    values = [env.get(name, "").strip() for name in VARIABLES]
    if not any(values):
        return None
    missing = [name for name, value in zip(VARIABLES, values, strict=True) if not value]
    if missing:
        present = [name for name in VARIABLES if name not in missing]
        raise ValueError(
            f"{' and '.join(present)} is set, but {' and '.join(missing)} is not: "
            "set all three for a real model, or none for the scripted one."
        )
    url, key, model = values
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{VARIABLES[0]} must start with http:// or https://, not {url!r}.")
    return Provider(url.rstrip("/"), key, model)

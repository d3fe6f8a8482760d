"""The real SDK, installed once for all processes the way an owner would install it."""

from __future__ import annotations

import asyncio

import pytest

from aurora.agents.sdk import SdkFolder
from sandbox.servers import shared_sdk
from tests.support.agents.rig import Load


@pytest.fixture(scope="session")
def sdk_folder() -> SdkFolder:
    """An installed SDK folder; without a registry the tests that need it are skipped."""
    try:
        return asyncio.run(shared_sdk())
    except RuntimeError as error:
        if "No matching distribution" not in str(error):
            raise
        pytest.skip(f"pip reaches no registry that has the SDK: {error}")


@pytest.fixture(scope="session")
def load(sdk_folder: SdkFolder) -> Load:
    """What the backend calls to get the SDK."""
    return sdk_folder.activate

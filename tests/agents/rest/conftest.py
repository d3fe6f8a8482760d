"""The real SDK, installed once for the whole run the way an owner would install it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType

import pytest

from aurora.agents.sdk import SdkError, SdkFolder

Load = Callable[[], ModuleType]


@pytest.fixture(scope="session")
def sdk_folder(tmp_path_factory: pytest.TempPathFactory) -> SdkFolder:
    """An installed SDK folder; without a registry the tests that need it are skipped."""
    folder = SdkFolder(tmp_path_factory.mktemp("sdk") / "sdk")
    try:
        asyncio.run(folder.install())
    except SdkError as error:
        if "No matching distribution" not in str(error):
            raise
        pytest.skip(f"pip reaches no registry that has the SDK: {error}")
    return folder


@pytest.fixture(scope="session")
def load(sdk_folder: SdkFolder) -> Load:
    """What the backend calls to get the SDK."""
    return sdk_folder.activate

"""The tests of Aurora and its sandbox."""

import pytest

# Of itself pytest tells only of test modules and of a conftest.py what a failed assert compared.
pytest.register_assert_rewrite("tests.support")

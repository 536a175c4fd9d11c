"""The world in memory that most tests of the controller begin with."""

import pytest
from study_operator.backends.memory import MemoryWorld

from tests.controller.world import good


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld(good)

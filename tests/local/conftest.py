from pathlib import Path

import pytest

from tests.local.engines import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = Engine(tmp_path / "studies" / "study")
    engine.begin()
    return engine

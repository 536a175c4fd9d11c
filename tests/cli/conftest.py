from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    workplace = Workplace(tmp_path)
    yield workplace
    workplace.stop()

from pathlib import Path

import pytest

from tests.cli.commands import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)

"""The operator with its surroundings moved: what no option of it says, and what a test cannot move for a process.

    python elsewhere.py [--ahead=SECONDS] [--account=FOLDER] -- ARGUMENTS OF THE OPERATOR

Only what the time and the pod's service account come in by is changed, before the operator is started.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernetes.aio.config import incluster_config
from study_operator.edge import process
from study_operator.operator import main


def move_clock(seconds: float) -> None:
    """The wall clock alone: the monotonic one of a machine is never set."""
    true_time = time.time
    time.time = lambda: true_time() + seconds
    process._now = lambda: datetime.now(UTC) + timedelta(seconds=seconds)


def move_account(folder: Path) -> None:
    incluster_config.SERVICE_TOKEN_FILENAME = str(folder / "token")
    incluster_config.SERVICE_CERT_FILENAME = str(folder / "ca.crt")


if __name__ == "__main__":
    end = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--ahead", type=float, default=0.0)
    parser.add_argument("--account", type=Path)
    moved = parser.parse_args(sys.argv[1:end])
    move_clock(moved.ahead)
    if moved.account:
        move_account(moved.account)
    main(sys.argv[end + 1 :])

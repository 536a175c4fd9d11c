"""A trainer that takes two seconds and no CPU time, whatever its parameters: the rest of a run is the engine."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

SECONDS = 2.0

if __name__ == "__main__":
    time.sleep(SECONDS)
    record = {"metrics": {"validation_error": float(os.environ["HP_LEARNING_RATE"])}}
    Path(os.environ["STUDY_TERMINATION_LOG"]).write_text(json.dumps(record))

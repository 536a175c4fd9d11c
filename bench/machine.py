"""What a benchmark ran on: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.cluster.binaries import PROGRAMS, find_or_build


def describe(programs: tuple[str, ...]) -> dict[str, str]:
    """The machine, how busy it was, and the versions of what was measured."""
    busy, _, _ = os.getloadavg()
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {_field('/proc/cpuinfo', 'model name') or 'unknown'}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "load before the start": f"{busy:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("study-operator", "kubernetes", "kopf", "aiohttp")},
        **{name: _version(name) for name in programs},
    }


def _field(file: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*)$", Path(file).read_text(), re.MULTILINE)
    return found[1] if found else ""


def _version(name: str) -> str:
    told = subprocess.run([find_or_build(name), *PROGRAMS[name].version], capture_output=True, text=True, timeout=30)
    found = re.search(r"\d+\.\d+\.\d+", told.stdout + told.stderr)
    return found[0] if found else "unknown"

"""A local run's samples on disk, and the metrics source that reads them.

What Prometheus is to a cluster: the samples as they were scraped, appended line by line, so that an engine that was
killed has lost none when it comes back. A line is ``name milliseconds value``; a line cut short by a kill or a full
disk is passed over.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import Callable
from pathlib import Path

from study_operator.metrics.exposition import Points
from study_operator.metrics.join import join
from study_operator.metrics.query import STEP_METRIC
from study_operator.metrics.source import CurveAnswer, CurveRequest
from study_operator.results.trial import Source

MOST_SERIES = 64
"""Four times what the trainer's SDK allows; more is not a trial's metrics but an instrumented program's."""

MOST_BYTES = 128 * 2**20
"""About three million samples: a million points of two metrics with their steps."""

_UNRELATED = re.compile(r"(python|process)_")
"""What prometheus-client adds of its own accord."""


class SampleFile:
    """One run's samples. Each series is kept in rising order of time, each time once."""

    def __init__(self, path: Path) -> None:
        """Go on after what ``path`` holds already; a last line that was cut short goes."""
        self._path = path
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
        self._last = {name: points[-1][0] for name, points in read_samples(path).items()}

    def append(self, points: Points, scraped: int) -> None:
        """Keep what is new of one exposition. Raises OSError.

        Points without a time get ``scraped``, unix milliseconds, or a later one where our clock was set back.
        """
        last = dict(self._last)
        scraped = max(scraped, 1 + max(last.values(), default=0))
        lines = []
        for name, series in points.items():
            if _UNRELATED.match(name) or (name not in last and len(last) >= MOST_SERIES):
                continue
            for time, value in series:
                at = scraped if time is None else time
                if at > last.get(name, -1):
                    lines.append(f"{name} {at} {value!r}\n")
                    last[name] = at
        size = self._path.stat().st_size if self._path.exists() else 0
        if not lines or size >= MOST_BYTES:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(lines)
        except OSError:
            os.truncate(self._path, size)  # the next scrape brings the same points again, whole
            raise
        self._last = last


def read_samples(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Every series, in the order of time; empty where nothing was scraped."""
    series: dict[str, list[tuple[int, float]]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                words = line.split() if line.endswith("\n") else ()
                if len(words) != 3:
                    continue
                try:
                    series.setdefault(words[0], []).append((int(words[1]), float(words[2])))
                except ValueError:
                    continue
    except FileNotFoundError:
        return {}
    return {name: points for name, points in series.items() if points}


class LocalMetrics:
    """The curves of the runs in a study's folder. A run's last scrape is over before its end is told, so an answer is
    final.
    """

    source = Source.ENDPOINT

    def __init__(self, samples_of: Callable[[str], Path]) -> None:
        self._samples_of = samples_of

    async def curves(self, request: CurveRequest) -> CurveAnswer:
        """All that was scraped."""
        return await asyncio.to_thread(self._answer, request)

    async def close(self) -> None:
        """Nothing to let go."""

    def _answer(self, request: CurveRequest) -> CurveAnswer:
        series = read_samples(self._samples_of(request.run))
        steps = series.get(STEP_METRIC, [])
        curves = {name: join(steps, series[name]) for name in request.metrics if name in series}
        return CurveAnswer(curves, has_steps=any(math.isfinite(step) for _, step in steps), final=True)

"""Which points a scrape is shown.

A plain gauge shows a scrape only the newest value: what was reported between two scrapes is lost, and a short trial
may be lost altogether. OpenMetrics lets one exposition carry several timestamped points of a series, so each scrape
is shown every point that has not yet been part of two answered scrapes. Twice, because an answer may be lost on its
way or its scrape fail at the other end; not for ever, because Prometheus counts each point that it already has as out
of order. A point's time is strictly later than its predecessor's, which makes the time the key that joins a value to
its step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

BACKLOG = 20_000
"""Points kept a metric while nobody scrapes: half an hour at ten a second. The record still counts what is dropped."""


class Point(NamedTuple):
    """One value of one metric."""

    time: int
    """Unix time in milliseconds."""
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """What one scrape is shown: each metric's points in time order, up to the report made at ``until``."""

    points: Mapping[str, tuple[Point, ...]]
    until: int

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """(time, step) of each report of which a point is shown, in time order."""
        return tuple(sorted({(point.time, point.step) for series in self.points.values() for point in series}))


class History:
    """The points that scrapes still have to be shown. Not thread-safe: the trial holds its lock around each call."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        self._points: dict[str, deque[Point]] = {}
        self._newest = 0
        self._answered = 0

    def add(self, now: int, step: int, values: Mapping[str, float]) -> None:
        """A report made at ``now`` (unix milliseconds), dated after the last one if the clock has not moved on."""
        self._newest = max(now, self._newest + 1)
        for metric, value in values.items():
            series = self._points.get(metric)
            if series is None:
                series = self._points[metric] = deque(maxlen=self._backlog)
            series.append(Point(self._newest, step, value))

    def exposition(self) -> Exposition:
        """What a scrape is shown now."""
        return Exposition({metric: tuple(series) for metric, series in self._points.items()}, self._newest)

    def answered(self, exposition: Exposition) -> None:
        """A scrape was answered with ``exposition``: what an earlier answer had shown too is shown no more."""
        shown_twice = min(exposition.until, self._answered)
        for series in self._points.values():
            while series and series[0].time <= shown_twice:
                series.popleft()
        self._answered = max(exposition.until, self._answered)

    @property
    def complete(self) -> bool:
        """Whether every point still kept was part of an answered scrape at least once."""
        return self._answered == self._newest

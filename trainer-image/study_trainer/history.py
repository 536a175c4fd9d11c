"""Which points a scrape is shown.

A plain gauge shows a scrape only the newest value: what was reported between two scrapes is lost, and a short trial
may be lost altogether. OpenMetrics lets one exposition carry several timestamped points of a series, so each scrape
is shown every point that its scraper has not yet read in two answered scrapes. Twice, because an answer may be lost on
its way or its scrape fail at the other end; not for ever, because Prometheus counts each point that it already has as
out of order. A point's time is strictly later than its predecessor's, which makes the time the key that joins a value
to its step.

What was shown is kept for each scraper apart, so that the servers of a highly available pair, and whoever else looks,
take nothing from one another.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

BACKLOG = 20_000
"""Points kept a metric for scrapers that do not come: half an hour at ten a second. The record still counts what is
dropped."""

LATE = 60_000
"""Milliseconds that a point is kept at least, for scrapers that have not come yet: the servers of a pair first come at
different moments, up to an interval apart, which is a minute where Prometheus is not told otherwise."""

SCRAPERS = 32
"""Scrapers that are remembered, those that came latest: more than anybody's servers, and a bound, so that a trial does
not grow with the addresses that it is read from. One that was forgotten is new when it comes again, and shown all that
is kept. Who came twice in the latest so many answered scrapes comes regularly: one that has gone soon does not."""


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


@dataclass(frozen=True, slots=True)
class _Read:
    """The newest report that one scraper has read at least once, and at least twice."""

    once: int = 0
    twice: int = 0

    def after(self, until: int) -> _Read:
        """Once an answer up to ``until`` was read too."""
        return _Read(max(self.once, until), max(self.twice, min(self.once, until)))


class History:
    """The points that scrapes still have to be shown. Not thread-safe: the trial holds its lock around each call."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        self._points: dict[str, deque[Point]] = {}
        self._newest = 0
        self._read: dict[str, _Read] = {}
        """By scraper, in the order of their latest scrapes."""
        self._came: deque[str] = deque(maxlen=SCRAPERS)
        """The scraper of each of the latest answered scrapes."""

    def add(self, now: int, step: int, values: Mapping[str, float]) -> None:
        """A report made at ``now`` (unix milliseconds), dated after the last one if the clock has not moved on."""
        self._newest = max(now, self._newest + 1)
        for metric, value in values.items():
            series = self._points.get(metric)
            if series is None:
                series = self._points[metric] = deque(maxlen=self._backlog)
            series.append(Point(self._newest, step, value))

    def exposition(self, scraper: str) -> Exposition:
        """What a scrape by ``scraper`` is shown now: everything that is kept if it is the first."""
        twice = self._read.get(scraper, _Read()).twice
        return Exposition({metric: _after(twice, series) for metric, series in self._points.items()}, self._newest)

    def answered(self, scraper: str, exposition: Exposition) -> None:
        """A scrape was answered with ``exposition``: its scraper is shown no more what an earlier one showed it too."""
        self._read[scraper] = self._read.pop(scraper, _Read()).after(exposition.until)
        self._came.append(scraper)
        if len(self._read) > SCRAPERS:
            del self._read[next(iter(self._read))]
        self._drop(min(self._newest - LATE, *(read.twice for read in self._read.values())))

    @property
    def complete(self) -> bool:
        """Whether those that scrape regularly, or anybody if there are none, have read every report at least once."""
        regular = [scraper for scraper, times in Counter(self._came).items() if times > 1]
        complete = [self._read[scraper].once == self._newest for scraper in regular or self._read]
        return self._newest == 0 or (all(complete) if regular else any(complete))

    def _drop(self, until: int) -> None:
        for series in self._points.values():
            while series and series[0].time <= until:
                series.popleft()


def _after(time: int, series: deque[Point]) -> tuple[Point, ...]:
    """The points later than ``time``, found from the end: those that are kept for others cost nothing."""
    return tuple(takewhile(lambda point: point.time > time, reversed(series)))[::-1]

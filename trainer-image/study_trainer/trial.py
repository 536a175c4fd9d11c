"""A trial, as the trainer sees it.

Reporting must cost nothing next to a training step: it appends to memory, and threads do the serving. The end of the
``with`` block is the one place where a trial's outcome is decided: the record is written first, while the process
certainly lives, and only then does the trial linger for the last scrape.
"""

from __future__ import annotations

import logging
import math
import operator
import os
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import SupportsFloat, SupportsIndex

from study_trainer.checkpoints import Checkpoints, Direction
from study_trainer.endings import STOPPED, Diverged, Ending, ending_of
from study_trainer.environment import Environment, Parameter, read_environment
from study_trainer.exposition import MetricsServer
from study_trainer.history import Exposition, History
from study_trainer.record import Summary, render_record
from study_trainer.termination import TerminationWatch

MAXIMUM_METRICS = 16
MAXIMUM_STEP = 2**53
"""Up to here a gauge, a 64-bit float, holds a step exactly."""

_METRIC_NAME = re.compile(r"(?!study_)[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_log = logging.getLogger("study_trainer")


class Trial:
    """One training run of a study, or a run by hand, which serves and writes nothing. Use it as a context manager."""

    def __init__(
        self,
        environment: Environment,
        *,
        must_be_finite: Iterable[str] = (),
        keep_checkpoints: int = 3,
        direction: Direction | None = None,
    ) -> None:
        self._environment = environment
        self._must_be_finite = frozenset(must_be_finite)
        folder, best = environment.checkpoints, direction or environment.direction
        self._checkpoints = None if folder is None else Checkpoints(folder, keep_checkpoints, best)
        self._process = os.getpid()
        self._lock = threading.Condition()
        self._history = History()
        self._summaries: dict[str, Summary] = {}
        self._step: int | None = None
        self._ending: Ending | None = None
        self._server: MetricsServer | None = None
        self._watch: TerminationWatch | None = None

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        parameters: Mapping[str, Parameter] = MappingProxyType({}),
        seed: int = 0,
        steps: int | None = None,
        must_be_finite: Iterable[str] = (),
        keep_checkpoints: int = 3,
        direction: Direction | None = None,
    ) -> Trial:
        """The trial that the environment describes.

        ``parameters``, ``seed`` and ``steps`` hold where the study says nothing of them, as in a run by hand. A
        metric of ``must_be_finite`` that is reported as NaN or infinite ends the trial as diverged. ``direction``
        says which checkpoints are the best where they are kept by another metric than the study's objective.
        Raises InvalidEnvironment where the study's values cannot be read or are of another kind than their default.
        """
        return cls(
            read_environment(environ, parameters, seed, steps),
            must_be_finite=must_be_finite,
            keep_checkpoints=keep_checkpoints,
            direction=direction,
        )

    @property
    def study(self) -> str:
        """The study's name; empty by hand."""
        return self._environment.study

    @property
    def name(self) -> str:
        """The trial's name; empty by hand."""
        return self._environment.trial

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Every hyperparameter by name: the study's, and the defaults for those that it leaves out."""
        return dict(self._environment.parameters)

    @property
    def seed(self) -> int:
        """Drives all of the trial's randomness: 0 <= seed < 2**31."""
        return self._environment.seed

    @property
    def objective(self) -> str:
        """The metric that the study ranks its trials by; empty by hand."""
        return self._environment.objective

    @property
    def steps(self) -> int | None:
        """How many steps to train; None where neither the study nor the caller says."""
        return self._environment.steps

    def report(self, step: SupportsIndex, /, **metrics: SupportsFloat) -> None:
        """One evaluation: the metrics' values at a training step. A value may be NaN or infinite.

        Raises Diverged for a metric of ``must_be_finite`` that is not finite, after it was recorded; ValueError and
        TypeError for steps, names and values that cannot be kept.
        """
        at = operator.index(step)
        if not 0 <= at <= MAXIMUM_STEP:
            raise ValueError(f"a step is an integer from 0 to 2**53, got {at}")
        values = {metric: _value(metric, value) for metric, value in metrics.items()}
        if not values:
            raise ValueError(f"report({at}) has no metric")
        with self._lock:
            self._admit(values)
            self._history.add(time.time_ns() // 1_000_000, at, values)
            for metric, value in values.items():
                self._summaries[metric].add(at, value)
            self._step = at
        for metric in self._must_be_finite.intersection(values):
            if not math.isfinite(values[metric]):
                raise Diverged(f"{metric} is {values[metric]!r} at step {at}.")

    def checkpoint(self, step: SupportsIndex, value: SupportsFloat, write: Callable[[Path], object]) -> Path | None:
        """Keeps a checkpoint if ``value``, the objective at this step, is among the best so far.

        ``write`` gets an empty folder to fill, and is called only if the checkpoint is kept. Returns where it is,
        else None. By hand nothing is kept, unless ``STUDY_CHECKPOINTS`` names a folder.
        """
        if self._checkpoints is None:
            return None
        return self._checkpoints.offer(operator.index(step), float(value), write)

    def __enter__(self) -> Trial:
        endpoint = self._environment.endpoint
        if endpoint is not None:
            try:
                self._server = MetricsServer(endpoint, self._exposition, self._answered)
            except OSError as error:
                _log.warning("The metrics cannot be served at %s:%d: %s", endpoint.address, endpoint.port, error)
        if self._environment.record is not None:
            try:
                self._watch = TerminationWatch(self._terminated)
            except ValueError:
                _log.warning("The trial does not run in the main thread, so SIGTERM will end it without a record.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes the record, lingers, and raises SystemExit with the trial's exit code if it did not complete."""
        if os.getpid() != self._process:
            return  # a forked child that leaves the block is not the trial
        ending = ending_of(exception)
        by_hand = self._environment.record is None
        if exception is not None and ending.reason == "Error" and not isinstance(exception, SystemExit) and not by_hand:
            traceback.print_exception(kind, exception, trace)
        elif ending.exit_code:
            _log.error("%s: %s", ending.reason, ending.message)
        self._end(ending)
        if ending.reason != "Terminated":
            self._linger()
        if self._watch is not None:
            self._watch.close()
        if self._server is not None:
            self._server.close()
        passes_through = isinstance(exception, (SystemExit, KeyboardInterrupt)) or (
            by_hand and ending.reason == "Error"
        )
        if ending.exit_code and not passes_through:
            raise SystemExit(ending.exit_code)

    def _admit(self, metrics: Iterable[str]) -> None:
        """A summary for each metric not seen before."""
        new = [metric for metric in metrics if metric not in self._summaries]
        for metric in new:
            if not _METRIC_NAME.fullmatch(metric):
                raise ValueError(
                    f"{metric!r} cannot name a metric: it takes 1 to 63 letters, digits and underscores, "
                    "starts with no digit, and not with study_"
                )
        if len(self._summaries) + len(new) > MAXIMUM_METRICS:
            raise ValueError(f"a trial has at most {MAXIMUM_METRICS} metrics, so there is no room for {', '.join(new)}")
        self._summaries.update((metric, Summary()) for metric in new)

    def _exposition(self, scraper: str) -> Exposition:
        with self._lock:
            return self._history.exposition(scraper)

    def _answered(self, scraper: str, exposition: Exposition) -> None:
        with self._lock:
            self._history.answered(scraper, exposition)
            self._lock.notify_all()

    def _linger(self) -> None:
        if self._server is not None:
            with self._lock:
                self._lock.wait_for(lambda: self._history.complete, timeout=self._environment.linger)

    def _terminated(self) -> None:
        """SIGTERM: the record if there is none yet, then out, past whatever the main thread is busy with."""
        os._exit(self._end(STOPPED).exit_code)

    def _end(self, ending: Ending) -> Ending:
        """Writes the record unless the trial has ended before. Returns how it ended."""
        with self._lock:
            if self._ending is None:
                self._ending = ending
                if self._environment.record is not None:
                    checkpoints = () if self._checkpoints is None else self._checkpoints.best_first
                    record = render_record(ending, self._step, self._summaries, checkpoints)
                    _write(self._environment.record, record)
            return self._ending


def _value(metric: str, value: SupportsFloat) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{metric} must be a number, got {value!r}")
    return float(value)


def _write(path: Path, record: bytes) -> None:
    """By a rename where that is possible; a pod's termination log is a mount, which can only be written in place."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        try:
            partial.write_bytes(record)
            partial.replace(path)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            path.write_bytes(record)
    except OSError as error:
        _log.warning("The record cannot be written to %s: %s", path, error)

"""Logs: one JSON object a line for machines, or plain lines for people.

kopf logs every request that it retries as an error, and every event of every object at lower levels; of it only
warnings are kept.
"""

from __future__ import annotations

import logging
import sys
from enum import StrEnum

from pythonjsonlogger.json import JsonFormatter


class LogFormat(StrEnum):
    """How a line of the log looks."""

    JSON = "json"
    TEXT = "text"


_QUIET = ("kopf", "aiohttp", "asyncio", "kubernetes")


def configure(form: LogFormat, level: str) -> None:
    """Log to standard error. ``level`` is one of logging's names; other libraries are heard from Warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def formatter(form: LogFormat) -> logging.Formatter:
    """Of a line: time, level, logger, message, and whatever else the record carries."""
    if form is LogFormat.TEXT:
        return logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    return JsonFormatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )

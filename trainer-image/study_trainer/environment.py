"""What a study tells its trainer: environment variables, read once into a value.

The parameters are read from one JSON object, ``STUDY_PARAMETERS``, because it keeps their types; the ``HP_``
variables beside it are for command lines such as ``--learning-rate=$(HP_LEARNING_RATE)``. A program is in a study
when ``STUDY_TRIAL`` is set, and by hand otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from study_trainer.checkpoints import Direction

Parameter = str | int | float | bool

MAXIMUM_SEED = 2**31 - 1


class InvalidEnvironment(ValueError):
    """A variable of the contract holds something else than it may; the message names it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the metrics are served: the empty address means all interfaces."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Environment:
    """One trial's inputs. Without an ``endpoint``, a ``record`` or ``checkpoints`` the trial does without; ``linger``
    is in seconds.
    """

    study: str
    trial: str
    parameters: Mapping[str, Parameter]
    seed: int
    steps: int | None
    endpoint: Endpoint | None
    record: Path | None
    checkpoints: Path | None
    linger: float
    objective: str = ""
    direction: Direction = "Minimize"


def read_environment(
    environ: Mapping[str, str], parameters: Mapping[str, Parameter], seed: int, steps: int | None
) -> Environment:
    """The study's parameters, seed and steps where it gives them, else those of the arguments.

    Raises InvalidEnvironment where a variable cannot be read.
    """
    checkpoints = environ.get("STUDY_CHECKPOINTS")
    if "STUDY_TRIAL" not in environ:
        return Environment(
            study="",
            trial="",
            parameters=dict(parameters),
            seed=seed,
            steps=steps,
            endpoint=None,
            record=None,
            checkpoints=Path(checkpoints) if checkpoints else None,
            linger=0.0,
        )
    return Environment(
        study=environ.get("STUDY_NAME", ""),
        trial=environ["STUDY_TRIAL"],
        parameters=_parameters(environ.get("STUDY_PARAMETERS", "{}"), parameters),
        seed=_integer(environ, "STUDY_SEED", seed, 0, MAXIMUM_SEED),
        steps=_integer(environ, "STUDY_STEPS", 0, 1, 2**53) if "STUDY_STEPS" in environ else steps,
        endpoint=Endpoint(
            address=environ.get("STUDY_METRICS_ADDRESS", ""),
            port=_integer(environ, "STUDY_METRICS_PORT", 9400, 1, 65535),
        ),
        record=Path(environ.get("STUDY_TERMINATION_LOG") or "/dev/termination-log"),
        checkpoints=Path(checkpoints or "checkpoints"),
        linger=_seconds(environ, "STUDY_METRICS_LINGER", 60.0),
        objective=environ.get("STUDY_OBJECTIVE", ""),
        direction=_direction(environ.get("STUDY_DIRECTION", "Minimize")),
    )


def _direction(text: str) -> Direction:
    directions: dict[str, Direction] = {"Minimize": "Minimize", "Maximize": "Maximize"}
    if text not in directions:
        raise InvalidEnvironment(f"STUDY_DIRECTION: expected Minimize or Maximize, got {text!r}")
    return directions[text]


def _parameters(text: str, defaults: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidEnvironment(f"STUDY_PARAMETERS: expected a JSON object, but it is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise InvalidEnvironment(f"STUDY_PARAMETERS: expected a JSON object, got {text[:80]}")
    return {**defaults, **{name: _typed(name, value, defaults.get(name)) for name, value in given.items()}}


def _typed(name: str, value: object, default: Parameter | None) -> Parameter:
    """The value as the kind of its default: JSON, and a manifest's list of choices, may write a float as ``1``."""
    if not isinstance(value, (str, int, float)):
        raise InvalidEnvironment(f"STUDY_PARAMETERS.{name}: expected a string, a number or a boolean, got {value!r}")
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if default is not None and type(value) is not type(default):
        raise InvalidEnvironment(
            f"STUDY_PARAMETERS.{name}: expected {_KINDS[type(default)]} (the default is {default!r}), got {value!r}"
        )
    return value


_KINDS = {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}


def _integer(environ: Mapping[str, str], variable: str, default: int, minimum: int, maximum: int) -> int:
    text = environ.get(variable, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and minimum <= int(text) <= maximum):
        raise InvalidEnvironment(f"{variable}: expected an integer from {minimum} to {maximum}, got {text!r}")
    return int(text)


def _seconds(environ: Mapping[str, str], variable: str, default: float) -> float:
    text = environ.get(variable, str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InvalidEnvironment(f"{variable}: expected a number of seconds, zero or more, got {text!r}")
    return seconds

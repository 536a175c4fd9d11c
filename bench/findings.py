"""``python -m bench.findings``: the processor time that the rules take, by the size of a study.

The reference is the least that any analysis in Python does: numpy reads the same trials' points and objectives into
arrays and ranks every column. A machine's speed is in both, so their ratio says more than the seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import click
import numpy
from numpy.typing import NDArray
from study_operator.analysis import analyse, evidence_of
from study_operator.api import parse_study, study_space
from study_operator.findings import findings
from study_operator.results.trial import Trial

from tests.report.studies import manifest, trials_of

SIZES = (100, 1000, 10_000)
ROUNDS = 3


def ranks(trials: Sequence[Trial]) -> NDArray[numpy.intp]:
    """The order of the trials by each coordinate and by the objective."""
    read = [
        (*trial.spec.point, trial.status.objective.value if trial.status.objective else numpy.nan) for trial in trials
    ]
    return numpy.argsort(numpy.array(read), axis=0, kind="stable")


def seconds(task: Callable[[], object]) -> float:
    """Processor time of the task, the least of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        task()
        taken.append(time.process_time() - begun)
    return min(taken)


def measure(size: int) -> list[float]:
    """Seconds of the findings, of all that a study teaches, and of the reference."""
    study = parse_study(manifest(size))
    space, trials = study_space(study), trials_of(study)
    return [
        seconds(lambda: findings(evidence_of(study, space, trials))),
        seconds(lambda: analyse(study, space, trials, 7, complete=True)),
        seconds(lambda: ranks(trials)),
    ]


@click.command()
@click.option("--quick", is_flag=True, help="Without the largest study, which takes a minute to make up.")
def main(quick: bool) -> None:
    """Print a row for each size of a study."""
    click.echo("trials | findings, CPU s | all that a study teaches, CPU s | numpy reads and ranks, CPU s | ratios")
    for size in SIZES[:-1] if quick else SIZES:
        *measured, reference = measure(size)
        ratios = ", ".join(f"{figure / reference:.0f}" for figure in measured)
        click.echo(f"{size} | {' | '.join(f'{figure:.4f}' for figure in (*measured, reference))} | {ratios}")


if __name__ == "__main__":
    main()

"""The columns that describe hyperparameters in a linear model, and what is left when some are taken out.

A range is a parabola in its coordinate, because an optimum inside has no trend; a choice is the means of its values.

Quasi-random points are even, but the first few of a sequence in many dimensions are not free of correlations: of 16 or
32 Sobol points, some pairs of the later dimensions lie close to a line. What matters then lends its effect to what does
not, so a hyperparameter is looked at after those that explain more than it does have been taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from study_operator.findings.evidence import ArmEvidence, Axis, Floats, Rows
from study_operator.space import Choices


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of an axis; shape (n, terms)."""

    axis: Axis
    columns: Floats

    @property
    def terms(self) -> int:
        """How many columns there are."""
        return int(self.columns.shape[1])

    @property
    def first_order(self) -> Floats:
        """What takes part in interactions: the linear term of a range, all of a choice."""
        return self.columns if isinstance(self.axis.domain, Choices) else self.columns[:, :1]


def blocks_of(arm: ArmEvidence, rows: Rows) -> list[Block]:
    """The columns of the axes that took two values or more, for the arm's trials at ``rows`` (ascending).

    They are centred over the trials to which the axis applies, and zero for the others, so that they have nothing to do
    with whether it applies.
    """
    blocks = []
    for axis in arm.axes:
        applies = numpy.isin(axis.rows, rows, assume_unique=True)
        terms = _terms(axis, axis.coordinates[applies])
        columns = numpy.zeros((len(rows), terms.shape[1]))
        if columns.size:
            columns[numpy.searchsorted(rows, axis.rows[applies])] = terms - terms.mean(axis=0)
            blocks.append(Block(axis, columns))
    return blocks


def stronger(block: Block, blocks: Sequence[Block], response: Floats) -> list[Block]:
    """Those of ``blocks`` that explain more of the centred ``response`` alone, strongest first.

    No more than a quarter as many terms as there are trials.
    """
    explained = {id(other): _explained(other, response) for other in blocks}
    chosen: list[Block] = []
    for other in sorted(blocks, key=lambda other: -explained[id(other)]):
        terms = other.terms + sum(one.terms for one in chosen)
        if explained[id(other)] > explained[id(block)] and terms <= len(response) // 4:
            chosen.append(other)
    return chosen


def together(n: int, blocks: Sequence[Block]) -> Floats:
    """All their columns; shape (n, terms), with n given for the case of none."""
    return numpy.concatenate([numpy.empty((n, 0)), *(block.columns for block in blocks)], axis=1)


def basis_of(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span."""
    directions, sizes, _ = numpy.linalg.svd(columns, full_matrices=False)
    basis: Floats = directions[:, sizes > 1e-9 * sizes.max(initial=1.0)]
    return basis


def residual_of(basis: Floats, response: Floats) -> Floats:
    """What the basis leaves of the response, or of each of its columns."""
    residual: Floats = response - basis @ (basis.T @ response)
    return residual


def _explained(block: Block, response: Floats) -> float:
    return float(numpy.sum((basis_of(block.columns).T @ response) ** 2))


def _terms(axis: Axis, coordinates: Floats) -> Floats:
    places = numpy.unique(coordinates)
    if isinstance(axis.domain, Choices):
        means: Floats = (coordinates[:, None] == places[None, 1:]).astype(float)
        return means
    x = 2 * coordinates - 1
    return numpy.stack([x, 1.5 * x**2 - 0.5], axis=1)[:, : max(min(2, len(places) - 1), 0)]

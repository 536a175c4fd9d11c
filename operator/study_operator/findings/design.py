"""The columns that describe hyperparameters in a linear model, and what is left when some are taken out.

A range is a parabola in its coordinate, because an optimum inside has no trend; a choice is the means of its values.

Quasi-random points are even, but the first few of a sequence in many dimensions are not free of correlations. Of eight
Sobol dimensions, the second and the last share two thirds of their variance in the first 32 points, and more pairs do
in the first 16. What matters then lends its effect to what does not, so a hyperparameter is looked at after its
confounders have been taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy

from study_operator.findings.evidence import ArmEvidence, Axis, Rows
from study_operator.results.period import Floats
from study_operator.space import Choices

ALIASED = 0.3
"""Squared canonical correlation of two hyperparameters' columns above which an effect of one looks like the other's."""


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of an axis; shape (n, terms).

    ``detailed`` has the terms up to the fourth degree, for taking it out: the lack of fit of a parabola to what matters
    much is more than all the effect of what matters little.
    """

    axis: Axis
    columns: Floats
    detailed: Floats

    @cached_property
    def basis(self) -> Floats:
        """An orthonormal basis of the columns."""
        return basis_of(self.columns)

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
            parabola = columns if isinstance(axis.domain, Choices) else columns[:, :2]
            blocks.append(Block(axis, parabola, columns))
    return blocks


def confounders(block: Block, blocks: Sequence[Block], response: Floats, aliased: float = ALIASED) -> Floats:
    """The columns of those of ``blocks`` that what ``block`` explains of the centred ``response`` may be owed to.

    They are those that the points do not tell apart from it (a squared canonical correlation above ``aliased``; none at
    one), and those that explain more alone; the strongest of each first, in detail if there is room, and together no
    more than a quarter as many columns as there are trials. Shape (n, terms).
    """
    explained = {id(other): _explained(other, response) for other in blocks}
    indistinct = {id(other): _correlation(block, other) > aliased for other in blocks}
    chosen = numpy.empty((len(response), 0))
    for other in sorted(blocks, key=lambda other: (not indistinct[id(other)], -explained[id(other)])):
        if other is not block and (indistinct[id(other)] or explained[id(other)] > explained[id(block)]):
            room = len(response) // 4 - chosen.shape[1]
            columns = next((form for form in (other.detailed, other.columns) if form.shape[1] <= room), chosen[:, :0])
            chosen = numpy.concatenate([chosen, columns], axis=1)
    return chosen


def together(n: int, blocks: Sequence[Block]) -> Floats:
    """All their columns; shape (n, terms), with n given for the case of none."""
    return numpy.concatenate([numpy.empty((n, 0)), *(block.columns for block in blocks)], axis=1)


def basis_of(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span.

    From the eigenvectors of their products, which for a few long columns takes a tenth of a singular value
    decomposition's time.
    """
    squares, directions = numpy.linalg.eigh(columns.T @ columns)
    kept = squares > 1e-10 * squares.max(initial=1e-300)
    basis: Floats = columns @ (directions[:, kept] / numpy.sqrt(squares[kept]))
    return basis


def residual_of(basis: Floats, response: Floats) -> Floats:
    """What the basis leaves of the response, or of each of its columns."""
    residual: Floats = response - basis @ (basis.T @ response)
    return residual


def _correlation(one: Block, other: Block) -> float:
    """The largest squared canonical correlation."""
    return float(numpy.linalg.norm(one.basis.T @ other.basis, ord=2) ** 2)


def _explained(block: Block, response: Floats) -> float:
    return float(numpy.sum((block.basis.T @ response) ** 2))


def _terms(axis: Axis, coordinates: Floats) -> Floats:
    places = numpy.unique(coordinates)
    if isinstance(axis.domain, Choices):
        means: Floats = (coordinates[:, None] == places[None, 1:]).astype(float)
        return means
    legendre = numpy.polynomial.legendre.legvander(2 * coordinates - 1, 4)[:, 1:]
    return legendre[:, : max(min(4, len(places) - 1), 0)].astype(numpy.float64)

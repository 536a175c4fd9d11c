"""Normal scores: a rank transform under which least squares is safe.

Objectives of a search have long tails and failures without a value. Ranks keep what can be compared, infeasible trials
included (worst, and all alike), and normal scores give them the distribution that the F test and a parabola expect.
"""

from __future__ import annotations

import scipy

from study_operator.results.period import Floats


def normal_scores(values: Floats) -> Floats:
    """The standard normal quantiles of the ranks (Blom's, ties averaged), centred; infinities are ties of the worst."""
    scores: Floats = scipy.special.ndtri((scipy.stats.rankdata(values) - 0.375) / (len(values) + 0.25))
    scores -= scores.mean()
    return scores

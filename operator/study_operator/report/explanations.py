"""The rules in a few sentences each, for whoever reads a finding. docs/rules/ has their measured error rates."""

from __future__ import annotations

from collections.abc import Mapping

EXPLANATIONS: Mapping[str, str] = {
    "hyperparameter-roles": (
        "Scientific hyperparameters are what the round asks about, nuisance ones are optimised away so that the "
        "comparison is fair, fixed ones limit what the answer holds for."
    ),
    "regulariser-off-arm": (
        "Whether a regulariser helps is a scientific question; its strength is a nuisance. Without an arm that "
        "leaves it off, at an equal budget, nobody knows whether it is worth having."
    ),
    "conditional-hyperparameters": (
        "A learning rate under one optimizer says nothing of one under another, so hyperparameters of different "
        "arms are never pooled."
    ),
    "tuned-steps": (
        "Longer training is nearly always better, so a search over the number of steps ends at its upper end. "
        "Trials of different lengths cannot be compared either."
    ),
    "tuned-batch-size": (
        "With the other hyperparameters tuned for it, any batch size reaches the same quality. It decides on speed, "
        "and a change of it makes most other values obsolete."
    ),
    "adam-budget": (
        "Adam's hyperparameters are not equally important: below 10 trials an arm tune the learning rate alone, "
        "below 25 beta1 as well, from 25 on epsilon, and from 50 on beta2."
    ),
    "other-lints": (
        "Practices that the playbook advises against while exploring, because they make trials harder to compare, "
        "or results harder to interpret."
    ),
    "reasonable-baseline": (
        "Improvements on something that has learned nothing mean nothing. The baseline's reruns must beat guessing "
        "with 95% confidence."
    ),
    "infeasible-trials": (
        "Trials that diverge or do not fit are results, not accidents. Where one hyperparameter tells them apart, "
        "its range is to be trimmed; where none does, a bug is likely."
    ),
    "search-space-boundary": (
        "A best trial near the end of a range alone is weak evidence (it happens by chance in 20%). With a trend "
        "towards that end beside it (Kendall's tau, p < .03, shared out over the ranges of all arms) that does not "
        "level off there, better values probably lie outside."
    ),
    "learning-rate-edge": (
        "Where all higher learning rates diverge and the best one is just below, a wider range would only add "
        "failures. Stabilise the training first: warmup, then gradient clipping."
    ),
    "enough-points": (
        "With n points, the part of the space that is better than the best of them is below 1 - .05^(1/n), with 95% "
        "confidence. If the second half of them gained more than reruns of one configuration differ, more would gain "
        "too; without reruns that is not known, and nothing warns."
    ),
    "axis-plots": (
        "One hyperparameter against the objective, infeasible trials marked, shows where the search worked; the "
        "isolation plot shows the best of each arm with everything else optimised away."
    ),
    "overfitting": (
        "After the minimum of a noisy curve, higher points are certain to come. Overfitting is told only if what "
        "follows rises in its order (Kendall's tau, p < .01) and by more than three times the noise."
    ),
    "late-variance": (
        "Where an evaluation late in training varies by more than half of what separates the arms, the best point "
        "of a curve is luck in part."
    ),
    "still-improving": (
        "The late part of the curves of the best trials still gets better (Kendall's tau, p < .05) by more than twice "
        "the noise: a longer training may rank the arms differently."
    ),
    "early-saturation": (
        "The best trials came within their noise of their best before half of the steps. Shorter trainings would "
        "allow for more trials."
    ),
    "bug-signatures": (
        "A training loss that rises, an error with the period of an epoch and uneven gaps between evaluations are "
        "seldom a matter of hyperparameters, and often one of a bug."
    ),
    "gradient-clipping": (
        "Clipping is for rare spikes. Where most updates are clipped, the learning rate is in effect a lower one: "
        "lower it, or raise the threshold."
    ),
    "instability-probe": (
        "A short run at a multiple of the best learning rate, evaluated at every step, shows instabilities that "
        "end-of-training numbers hide."
    ),
    "warmup": (
        "Warmup lets a higher learning rate through the unstable first steps; the shortest that survives is best."
    ),
    "arm-comparison": (
        "The best trial of an arm depends on how many trials it had. So the expected best of m trials is compared, "
        "at one m for all arms, with trials resampled by the point that the arms share."
    ),
    "study-variance": (
        "Another study with other points would have found other bests. The intervals tell how different."
    ),
    "trial-variance": ("Reruns of one configuration on fresh seeds differ. Differences below that spread are noise."),
    "decision": (
        "The scores that selected a configuration flatter it, so the decision rests on reruns alone: Welch's test "
        "at a one-sided 10%, minus the margin that a change must be worth."
    ),
    "hyperparameter-importance": (
        "An analysis of variance of the objective's normal scores: how much of the differences between trials each "
        "hyperparameter explains, and which pairs do so only together."
    ),
    "after-exploration": (
        "When the best is well inside the space, most of it trains and more points would change little, a model- "
        "based search finds the best configuration faster."
    ),
    "test-set": ("The test set is looked at once, at the end, and the look is counted."),
    "steps-not-compute-bound": (
        "Where training is not bound by compute, the number of steps follows from the fastest constant learning "
        "rate that fits the training set."
    ),
    "compute-bound-rounds": (
        "Short rounds find what transfers: warmup and initialisation very likely, the schedule hardly. Long ones "
        "are few."
    ),
    "batch-size-throughput": ("The batch size is the largest at which throughput still grows nearly in proportion."),
    "input-bound": ("Where a step waits for its data for more than a tenth of its time, the accelerator idles."),
    "checkpoints": ("The best step is reported with its checkpoint, chosen in retrospect among those that were kept."),
    "batch-norm-hosts": (
        "Statistics of batch normalisation differ between hosts: evaluate on one of them, or synchronise. "
        "Initialise all hosts alike, and shuffle their data differently."
    ),
    "tracking-columns": (
        "What a table of experiments needs: the study, its configuration, notes, trials, the best validation "
        "performance, and how to reproduce it."
    ),
}
"""By a rule's page."""

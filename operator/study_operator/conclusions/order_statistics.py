"""The old place of :mod:`study_operator.findings.order_statistics`, as far as others still look for it here."""

from study_operator.findings.order_statistics import expected_best_of_resamples

__all__ = ["expected_best_of_resamples"]

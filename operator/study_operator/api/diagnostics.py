"""Curves' diagnostics to manifests and back, in less than 300 bytes a metric; what is not known is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study_operator.results.trial import CurveDiagnostics, Period, Trend


def diagnostics_to_manifest(diagnostics: CurveDiagnostics) -> dict[str, Any]:
    """One metric's entry under ``status.diagnostics``."""
    period = diagnostics.period
    manifest = {
        "noise": diagnostics.noise,
        "late": _trend_to_manifest(diagnostics.late),
        "afterMinimum": _trend_to_manifest(diagnostics.after_minimum),
        "afterMaximum": _trend_to_manifest(diagnostics.after_maximum),
        "settledAtMinimum": diagnostics.settled_at_minimum,
        "settledAtMaximum": diagnostics.settled_at_maximum,
        "period": period and {"steps": period.steps, "p": period.p, "share": period.share},
        "gapSpread": diagnostics.gap_spread or None,
        "repeatedSteps": diagnostics.repeated_steps or None,
    }
    known = {field: value for field, value in manifest.items() if value is not None}
    return {"evaluations": diagnostics.evaluations, "median": diagnostics.median, "p90": diagnostics.p90, **known}


def diagnostics_from_manifest(manifest: Mapping[str, Any]) -> CurveDiagnostics:
    """The inverse; raises KeyError, TypeError and ValueError for what is none."""
    noise, period = manifest.get("noise"), manifest.get("period")
    return CurveDiagnostics(
        evaluations=int(manifest["evaluations"]),
        median=float(manifest["median"]),
        p90=float(manifest["p90"]),
        noise=None if noise is None else float(noise),
        late=_trend(manifest.get("late")),
        after_minimum=_trend(manifest.get("afterMinimum")),
        after_maximum=_trend(manifest.get("afterMaximum")),
        settled_at_minimum=_step(manifest.get("settledAtMinimum")),
        settled_at_maximum=_step(manifest.get("settledAtMaximum")),
        period=Period(int(period["steps"]), float(period["p"]), float(period["share"])) if period else None,
        gap_spread=float(manifest.get("gapSpread", 0.0)),
        repeated_steps=int(manifest.get("repeatedSteps", 0)),
    )


def _trend_to_manifest(trend: Trend | None) -> dict[str, Any] | None:
    return None if trend is None else {"z": trend.z, "change": trend.change, "step": trend.step}


def _trend(manifest: Mapping[str, Any] | None) -> Trend | None:
    return Trend(float(manifest["z"]), float(manifest["change"]), int(manifest["step"])) if manifest else None


def _step(step: int | None) -> int | None:
    return None if step is None else int(step)

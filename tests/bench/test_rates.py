"""The rules' error rates: measured anew on a small scale, they are those of the documentation, and false alarms few."""

import importlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace

import numpy
import pytest
from click.testing import CliRunner
from study_operator.findings import RULES

from bench.rates import MODULES, __main__
from bench.rates.__main__ import RESULTS, main
from bench.rates.rate import Hypothesis, Rate
from bench.rates.table import filled, overview

EFFORT = 0.004
"""Of a full measurement: ten studies for most of a thousand settings, half a minute in all."""
SURPRISE = 4.5
"""Standard deviations."""

DOCUMENTED = {name: [Rate(**rate) for rate in rates] for name, rates in json.loads(RESULTS.read_text()).items()}
MEASURED = [name for name in MODULES if DOCUMENTED.get(name)]


def key(rate: Rate) -> tuple[str, str, str, str]:
    return rate.rule, str(rate.hypothesis), rate.setting, rate.column


def deviation(rate: Rate, documented: Rate) -> tuple[float, float]:
    """By how many hits the rate is above the documented one, and the variance of that."""
    share = (documented.hits + 1) / (documented.simulations + 2)
    per_study = share * (1 - share) * (1 + rate.simulations / documented.simulations)
    return rate.hits - rate.simulations * documented.share, rate.simulations * per_study


@pytest.mark.parametrize("module", MEASURED)
def test_a_small_measurement_finds_the_documented_rates_and_few_false_alarms(module: str) -> None:
    rng = numpy.random.default_rng(11)
    rates = {key(rate): rate for rate in importlib.import_module(f"bench.rates.{module}").measure(EFFORT, rng)}
    documented = {key(rate): rate for rate in DOCUMENTED[module]}
    assert rates.keys() == documented.keys(), "measure it anew: python -m bench.rates"
    assert not [rate for rate in rates.values() if rate.too_high]
    surplus: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for found in rates:
        surplus[found[:2]].append(deviation(rates[found], documented[found]))
    for what, parts in surplus.items():
        excess, variance = (math.fsum(part) for part in zip(*parts, strict=True))
        assert abs(excess) < SURPRISE * math.sqrt(variance) + 1, (
            f"{what}: {excess:+.1f} hits, sd {math.sqrt(variance):.1f}"
        )


def test_no_documented_rule_gives_more_false_alarms_than_its_limit() -> None:
    rates = [rate for rates in DOCUMENTED.values() for rate in rates]
    assert not [rate for rate in rates if rate.too_high]


def test_every_rule_that_is_simulated_is_so_under_both_hypotheses() -> None:
    known = defaultdict(set)
    for rates in DOCUMENTED.values():
        for rate in rates:
            known[rate.rule].add(rate.hypothesis)
    known.pop("trial-variance")  # It shows what would come of doing without it.
    assert {8, 9, 11, 13, 14, 15, 16, 18, 21, 24, 31} <= {RULES[rule].number for rule in known}
    assert all({Hypothesis.NULL, Hypothesis.ALTERNATIVE} <= hypotheses for hypotheses in known.values()), known


def test_the_documentation_has_the_last_results() -> None:
    rates, pages = [rate for rates in DOCUMENTED.values() for rate in rates], __main__.DOCS / "rules"
    assert (__main__.DOCS / "rules.md").read_text() == overview(rates, pages)
    for page in {RULES[rate.rule].page for rate in rates}:
        text = (pages / f"{page}.md").read_text()
        assert filled(text, page, rates) == text


def alarming(hits: int) -> SimpleNamespace:
    def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
        yield Rate("overfitting", Hypothesis.NULL, "nothing is there", hits, 100)

    return SimpleNamespace(measure=measure)


@pytest.mark.parametrize(("hits", "exit_code"), [(5, 0), (20, 1)])
def test_the_check_fails_where_there_are_surely_too_many_false_alarms(
    hits: int, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = RESULTS.read_text()
    monkeypatch.setattr(__main__, "_module", lambda name: alarming(hits))
    result = CliRunner().invoke(main, ["--quick", "--check", "overfitting"])
    assert result.exit_code == exit_code
    assert ("above its limit" in result.output) == bool(exit_code)
    assert RESULTS.read_text() == before


def test_a_quick_check_of_a_real_module_passes() -> None:
    result = CliRunner().invoke(main, ["--quick", "--check", "instability"])
    assert result.exit_code == 0, result.output
    assert "learning-rate-edge" in result.output

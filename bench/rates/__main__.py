"""``python -m bench.rates``: simulate the rules' error rates, and write them into the documentation."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import click
import numpy

from bench.rates import MODULES
from bench.rates.rate import Rate
from bench.rates.table import fill_pages, overview

RESULTS = Path(__file__).parent / "results.json"
DOCS = Path(__file__).parents[2] / "docs"


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(MODULES))
@click.option("--quick", is_flag=True, help="A twentieth of the simulations, and nothing written.")
@click.option("--check", is_flag=True, help="Fail if a rule's false alarms are above its limit.")
@click.option("--tables", is_flag=True, help="Write the tables and pictures from the results of the last runs.")
@click.option("--seed", default=7, show_default=True)
def main(modules: Sequence[str], quick: bool, check: bool, tables: bool, seed: int) -> None:
    """Measure MODULES (all), and write docs/rules.md, the pages' tables and the pictures."""
    chosen = modules or MODULES
    measured = {} if tables else {name: _measure(_module(name), name, 0.05 if quick else 1.0, seed) for name in chosen}
    if not quick:
        _write({name: [asdict(rate) for rate in rates] for name, rates in measured.items()}, chosen)
    excessive = [rate for rates in measured.values() for rate in rates if rate.too_high]
    for rate in excessive:
        click.echo(f"above its limit: {rate}", err=True)
    if check and excessive:
        raise SystemExit(1)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"bench.rates.{name}")


def _measure(module: ModuleType, name: str, effort: float, seed: int) -> list[Rate]:
    begun, rates = time.process_time(), []
    measure = getattr(module, "measure", lambda *_: ())
    for rate in measure(effort, numpy.random.default_rng(seed)):
        spent = time.process_time() - begun
        click.echo(f"{spent:6.1f} s  {rate.rule:28} {rate.hypothesis:12} {rate.share:6.3f}  {rate.setting}")
        rates.append(rate)
    click.echo(f"{name}: {len(rates)} rates")
    return rates


def _write(results: dict[str, list[dict[str, object]]], chosen: Sequence[str]) -> None:
    results = (json.loads(RESULTS.read_text()) if RESULTS.exists() else {}) | results
    ordered = {name: results[name] for name in MODULES if name in results}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")
    rates = [Rate(**rate) for module in ordered.values() for rate in module]
    for name in chosen:
        draw = getattr(_module(name), "draw", None)
        if draw is not None:
            draw(DOCS / "rules")
    fill_pages(rates, DOCS / "rules")
    (DOCS / "rules.md").write_text(overview(rates, DOCS / "rules"))


if __name__ == "__main__":
    main()

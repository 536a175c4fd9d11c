"""``python -m bench.report_size``: how large the report's page is, and how fast it is in a browser."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from study_operator.api import parse_study
from study_operator.report.page import page

from tests.report.browser.chromium import chromium
from tests.report.studies import manifest, report, trials_of

SORT, TOGGLE = "#trial-table th:nth-child(4) button", "[data-for=axes] input"
INTERACTIVE = "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
"""Milliseconds from the navigation until the first frame after the scripts."""
CLICK = """async selector => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const button = document.querySelector(selector);
  button.scrollIntoView();
  for (let i = 0; i < 20; i += 1) await frame();
  const begun = performance.now();
  button.click();
  await frame();
  return performance.now() - begun;
}"""
"""Milliseconds from a click on what is in the window until the next frame."""

SIZES = (32, 500, 2000, 10_000)


@click.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="A folder to keep the pages in.")
def main(keep: Path | None) -> None:
    """Print a row for each size of a study."""
    click.echo("trials | MB | s to make | s until interactive | s to sort | s to toggle an axis")
    with TemporaryDirectory() as temporary, chromium() as browser:
        for trials in SIZES:
            study = parse_study(manifest(trials))
            ran = trials_of(study)
            begun = time.perf_counter()
            text = page(report(study, ran))
            made = time.perf_counter() - begun
            file = (keep or Path(temporary)) / f"report-{trials}.html"
            file.write_text(text, encoding="utf-8")
            tab = browser.new_page()
            tab.goto(file.resolve().as_uri())
            tab.wait_for_selector("[data-ready]", state="attached")
            milliseconds = [tab.evaluate(INTERACTIVE), *(tab.evaluate(CLICK, button) for button in (SORT, TOGGLE))]
            tab.close()
            figures = [len(text.encode()) / 1e6, made, *(each / 1000 for each in milliseconds)]
            click.echo(" | ".join([str(trials), *(f"{figure:.2f}" for figure in figures)]))


if __name__ == "__main__":
    main()

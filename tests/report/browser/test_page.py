"""The page in a real browser, opened from a file as a person would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize
from study_operator.api import parse_study
from study_operator.report.page import page
from study_operator.results.trial import Trial, TrialState

from tests.report.browser.chromium import chromium
from tests.report.studies import manifest, report, trials_of, wide_report

Open = Callable[..., Page]
ATTACK = '</script></style>\'"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
AXE_RULES = 30
"""Rules of axe-core that find something in the page to look at, at the least."""

WINDOW: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(wide_report()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "large.html"
    path.write_text(page(wide_report(2000)), encoding="utf-8")
    return path


@pytest.fixture
def tab(browser: Browser, file: Path) -> Iterator[Page]:
    yield from opened(browser, file)


def opened(browser: Browser, file: Path, window: ViewportSize = WINDOW) -> Iterator[Page]:
    """The page, which must ask no network and complain of nothing."""
    complaints: list[str] = []
    context = browser.new_context(viewport=window)
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if request.url != file.as_uri() else None)
    opened.goto(file.as_uri())
    opened.wait_for_selector("[data-ready]", state="attached")
    yield opened
    context.close()
    assert complaints == []


def see(tab: Page, picture: str) -> dict[str, float]:
    """Where a picture's chart is in the window, once it is drawn."""
    chart = tab.locator(f"#{picture} .chart")
    chart.scroll_into_view_if_needed()
    chart.locator("canvas").first.wait_for()
    box = chart.bounding_box()
    assert box is not None
    return dict(box)


def drawn(tab: Page, picture: str) -> str:
    """What is on the canvas."""
    see(tab, picture)
    frames = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
    tab.evaluate(frames)
    return str(tab.evaluate(f"document.querySelector('#{picture} canvas').toDataURL()"))


def open_all(tab: Page) -> None:
    """Draw every picture and unfold whatever is folded."""
    for picture in tab.locator("figure").all():
        see(tab, str(picture.get_attribute("id")))
    tab.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    tab.wait_for_function(
        "[...document.querySelectorAll('.data:not([hidden])')].every(data => data.querySelector('table'))"
    )


def column(tab: Page, title: str) -> list[str]:
    """The cells under a heading of the table of trials."""
    headings = tab.locator("#trial-table th[scope=col]").all_inner_texts()
    place = next(place for place, heading in enumerate(headings, 1) if heading.startswith(title))
    return tab.locator(f"#trial-table tbody tr > :nth-child({place})").all_inner_texts()


def test_every_picture_is_drawn_and_has_its_words_and_numbers(tab: Page) -> None:
    for picture in tab.locator("figure").all():
        name = str(picture.get_attribute("id"))
        see(tab, name)
        assert picture.locator(".summary").inner_text()
        assert picture.locator("[role=img]").get_attribute("aria-label")
        if name != "parallel":
            picture.locator(".data summary").click()
            picture.locator(".data tbody tr").nth(1).wait_for()


def test_what_a_trial_is_stands_beside_the_pointer(tab: Page) -> None:
    box = see(tab, "isolation")
    for x in range(220, 1160, 4):
        tab.mouse.move(box["x"] + x, box["y"] + 48)
        if tab.locator("#isolation .tooltip").is_visible():
            break
    assert "optimizer=" in tab.locator("#isolation .tooltip").inner_text()


def test_a_brush_on_an_axis_filters_the_table(tab: Page) -> None:
    box = see(tab, "parallel")
    axes = tab.evaluate("JSON.parse(document.getElementById('data').textContent).hyperparameters.map(h => h.name)")
    place, ends = axes.index("dropout"), (50, 60)
    x = box["x"] + ends[0] + place * (box["width"] - sum(ends)) / len(axes)
    tab.mouse.move(x, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(x, box["y"] + 100, steps=4)
    tab.mouse.move(x, box["y"] + 150, steps=4)
    tab.mouse.up()
    left = [float(value) for value in column(tab, "dropout")]
    assert 0 < len(left) < 32 and min(left) > 0.3
    assert tab.locator("#count").inner_text() == f"{len(left)} of 32 trials"
    tab.locator("#ranges summary").click()
    assert 0.3 < float(tab.get_by_label("dropout from").input_value()) < 0.6
    tab.locator("#clear").click()
    assert tab.locator("#count").inner_text() == "32 of 32 trials"


def test_the_same_filter_can_be_typed(tab: Page) -> None:
    see(tab, "parallel")
    before = drawn(tab, "parallel")
    tab.locator("#ranges summary").click()
    tab.get_by_label("learning_rate to").fill("0.001")
    tab.get_by_label("learning_rate to").press("Enter")
    assert all(float(value) <= 0.001 for value in column(tab, "learning_rate"))
    assert drawn(tab, "parallel") != before


def test_the_table_is_sorted_by_any_column_and_searched(tab: Page) -> None:
    heading = tab.locator("#trial-table th", has_text="dropout")
    for direction, reverse in (("ascending", False), ("descending", True)):
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == direction
        values = [float(value) for value in column(tab, "dropout")]
        assert values == sorted(values, reverse=reverse)
    tab.get_by_label("State").select_option("Infeasible")
    assert set(column(tab, "State")) == {"Infeasible"}
    tab.get_by_label("Search").fill("tanh")
    assert set(column(tab, "activation")) == {"tanh"}


def test_an_axis_goes_from_logarithmic_to_linear(tab: Page) -> None:
    before = drawn(tab, "axis-0-7")
    for words in ("hyperparameters on linear axes", "validation_error on a logarithmic axis"):
        box = tab.locator("[data-for=axes]").get_by_label(words)
        box.press("Space")
        now = drawn(tab, "axis-0-7")
        assert now != before
        before = now


def test_light_and_dark_follow_the_system_and_the_button(tab: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = (tab.evaluate(ground), drawn(tab, "isolation"))
    tab.emulate_media(color_scheme="dark")
    dark = (tab.evaluate(ground), drawn(tab, "isolation"))
    assert light[0] != dark[0] and light[1] != dark[1]
    tab.locator("#theme").press("Enter")
    assert tab.locator("#theme").inner_text() == "Theme: light"
    assert (tab.evaluate(ground), drawn(tab, "isolation")) == light


def test_it_prints_light_and_whole_and_is_as_before_afterwards(tab: Page) -> None:
    tab.emulate_media(color_scheme="dark")
    before = drawn(tab, "isolation")
    undrawn = "document.querySelectorAll('.chart:not(:has(canvas))').length"
    tab.evaluate(f"addEventListener('beforeprint', () => {{ window.undrawn = {undrawn} }})")
    assert tab.pdf(format="A4").startswith(b"%PDF")
    assert tab.evaluate("window.undrawn") == 0
    assert tab.evaluate("document.documentElement.dataset.theme") is None
    assert drawn(tab, "isolation") == before


def test_every_finding_leads_to_where_it_is_seen(tab: Page) -> None:
    links = tab.locator(".findings .places a").all()
    assert links
    for link in links:
        assert tab.locator(str(link.get_attribute("href"))).count() == 1


def test_the_first_window_has_the_answer_and_what_to_do(tab: Page) -> None:
    for card in (".verdict", ".best", ".follows"):
        box = tab.locator(f"#answer {card}").bounding_box()
        assert box is not None and box["y"] + box["height"] <= WINDOW["height"]
    assert "study next wide" in tab.locator(".follows").inner_text()


def test_it_has_landmarks_and_one_order_of_headings(tab: Page) -> None:
    headings = tab.locator("h1, h2, h3").evaluate_all("all => all.map(heading => Number(heading.tagName[1]))")
    levels = list(map(int, headings))
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert [tab.locator(name).count() for name in ("header", "main", "nav[aria-label=Sections]")] == [1, 1, 1]
    assert tab.locator("main section:not([aria-labelledby])").count() == 0
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the answer"


def test_a_phone_scrolls_down_only_and_breaks_no_number(browser: Browser, file: Path) -> None:
    for tab in opened(browser, file, {"width": 390, "height": 844}):
        for picture in tab.locator("figure").all():
            see(tab, str(picture.get_attribute("id")))
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        lines = tab.locator("#arms td.n").evaluate_all("all => all.map(cell => cell.getClientRects().length)")
        heights = tab.locator("#arms td.n").evaluate_all("all => all.map(cell => cell.clientHeight)")
        assert set(lines) == {1} and len(set(heights)) == 1


def test_a_command_is_copied_whole(tab: Page) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.get_by_role("button", name="Copy the command of").first.click()
    tab.get_by_text("Copied.").wait_for(state="attached")
    command = tab.locator("#manifest .command code").nth(1).inner_text()
    assert tab.evaluate("navigator.clipboard.readText()") == command and command.startswith("env STUDY_TRIAL=")


def test_a_finding_that_is_not_read_at_once_opens_when_it_is_led_to(browser: Browser, large: Path) -> None:
    for tab in opened(browser, large):
        hidden = tab.locator(".findings .more li").last
        assert not hidden.is_visible()
        tab.locator(f".notes a[href='#{hidden.get_attribute('id')}']").first.click()
        hidden.wait_for()


Trials = tuple[Trial, ...]

ODD: dict[str, tuple[int, Callable[[Trials], Trials]]] = {
    "nothing has ended": (1, lambda trials: ()),
    "nothing succeeded": (1, lambda trials: tuple(each for each in trials if each.status.objective is None)),
    "a single trial": (1, lambda trials: trials[:1]),
    "the best is zero": (1, lambda trials: (reached(trials[0], 0.0), *trials[1:])),
    "all are equal": (1, lambda trials: tuple(reached(each, 0.5) for each in trials)),
    "values below zero": (1, lambda trials: tuple(reached(each, -each.spec.index) for each in trials)),
    "more arms than colors": (5, lambda trials: trials),
}
"""Schedules of an optimizer, and what becomes of the trials."""


def reached(trial: Trial, value: float) -> Trial:
    """The trial with another objective, if it has one."""
    if trial.status.objective is None:
        return trial
    return replace(trial, status=replace(trial.status, objective=replace(trial.status.objective, value=value)))


@pytest.mark.parametrize("case", ODD)
def test_odd_studies_are_drawn_too(browser: Browser, tmp_path: Path, case: str) -> None:
    schedules, changed = ODD[case]
    study = parse_study(manifest(40, schedules))
    file = tmp_path / "odd.html"
    file.write_text(page(report(study, changed(trials_of(study)))), encoding="utf-8")
    for tab in opened(browser, file):
        for picture in tab.locator("figure").all():
            see(tab, str(picture.get_attribute("id")))
        words = tab.locator("main").inner_text()
        assert not {"NaN", "Infinity", "undefined"} & set(re.findall(r"\w+", words))


def test_tables_and_what_scrolls_can_be_read_and_reached_without_eyes_or_pointer(tab: Page) -> None:
    open_all(tab)
    missing = """() => [
      ...[...document.querySelectorAll('table')].filter(table => !table.caption?.textContent.trim()),
      ...[...document.querySelectorAll('th')].filter(heading => !heading.scope),
      ...[...document.querySelectorAll('main *')].filter(box => /auto|scroll/.test(getComputedStyle(box).overflowX)
        && box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0 && !box.querySelector('a, button, input')),
      ...[...document.querySelectorAll('dl > :not(div)')],
    ].map(found => found.outerHTML.slice(0, 200))"""
    assert tab.evaluate(missing) == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_no_barrier(browser: Browser, file: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    for tab in opened(browser, file, {"width": width, "height": 900}):
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        open_all(tab)
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        assert len(found.response["passes"]) >= AXE_RULES


def test_axe_finds_a_barrier_that_is_there(tab: Page) -> None:
    tab.evaluate("document.querySelector('#theme').replaceChildren()")
    assert "button-name" in Axe().run(tab).generate_snapshot()


def test_the_focus_is_seen_and_nothing_covers_it(tab: Page) -> None:
    tab.locator("#theme").focus()
    covered = """() => {
      const focused = document.activeElement, {x, y, width, height} = focused.getBoundingClientRect();
      const above = document.elementFromPoint(x + Math.min(width, 40) / 2, y + Math.min(height, 20) / 2);
      const label = focused.closest('label') ?? focused;
      const covered = !label.contains(above) && !above?.contains(focused);
      return covered || getComputedStyle(focused).outlineStyle === 'none' ? focused.outerHTML.slice(0, 200) : null;
    }"""
    for _ in range(60):
        tab.keyboard.press("Tab")
        tab.wait_for_function(f"() => ({covered})() === null", timeout=10_000)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_that_is_drawn_when_it_comes_near_moves_nothing(browser: Browser, file: Path, width: int) -> None:
    tops = "() => [...document.querySelectorAll('figure, summary')].map((each) => each.getBoundingClientRect().top)"
    for tab in opened(browser, file, {"width": width, "height": 900}):
        before = tab.evaluate(tops)
        for figure in tab.locator(".chart").all():
            figure.scroll_into_view_if_needed()
            figure.locator("canvas").first.wait_for()
        tab.evaluate("scrollTo(0, 0)")
        assert tab.evaluate(tops) == before


def test_it_is_small_and_pages_two_thousand_trials(browser: Browser, large: Path) -> None:
    assert large.stat().st_size < 3_000_000
    for tab in opened(browser, large):
        assert tab.locator("#trial-table tbody tr").count() == 50
        assert tab.locator("#page-number").inner_text() == "page 1 of 40"
        assert tab.locator("#count").inner_text() == "2000 of 2000 trials, 1 to 50 below"
        tab.locator("#following").click()
        assert column(tab, "Rank")[0] == "51"


def test_what_manifests_and_trainers_write_stays_text(browser: Browser, tmp_path: Path) -> None:
    written = manifest()
    written["metadata"]["annotations"] = {"tuning.study/config": ATTACK}
    written["spec"] |= {"goal": ATTACK, "notes": ATTACK}
    optimizer, *others = written["spec"]["hyperparameters"]
    activation = next(each for each in others if each["name"] == "activation")
    activation["choices"] = ["relu", ATTACK]
    optimizer["choices"] = ["nesterov", "adam", ATTACK]
    third = {"role": "Nuisance", "when": {"optimizer": [ATTACK]}, "range": {"min": 1, "max": 2}}
    others.append({"name": "learning_rate", **third})
    study = parse_study(written | {"spec": written["spec"] | {"hyperparameters": [optimizer, *others]}})
    trials = [
        replace(trial, status=replace(trial.status, state=TrialState.FAILED, reason="Error", message=ATTACK))
        if trial.spec.index % 5 == 0
        else trial
        for trial in trials_of(study)
    ]
    file = tmp_path / "hostile.html"
    file.write_text(page(report(study, trials, text=ATTACK, asked=ATTACK)), encoding="utf-8")
    for tab in opened(browser, file):
        for picture in tab.locator("figure").all():
            see(tab, str(picture.get_attribute("id")))
        assert tab.locator("img").count() == 0
        assert tab.evaluate("window.hacked") is None
        assert tab.locator(".goal").inner_text() == ATTACK

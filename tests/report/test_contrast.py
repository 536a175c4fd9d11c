"""What the eye needs: WCAG 2.2's contrast of 4.5:1 for text and 3:1 for graphics, light and dark."""

import re
from importlib.resources import files

import pytest

CSS = files("study_operator.report").joinpath("assets", "page.css").read_text()
COLORS = {
    name: themes for name, *themes in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(COLORS.keys() - {"ground", "raised", "line"}))
def test_every_color_stands_out_from_its_ground(name: str, theme: int) -> None:
    needed = 3.0 if name.startswith("arm-") else 4.5
    for ground in ("ground", "raised"):
        assert contrast(COLORS[name][theme], COLORS[ground][theme]) >= needed


def test_there_is_a_color_for_each_arm_that_is_drawn() -> None:
    assert sum(name.startswith("arm-") for name in COLORS) == 8

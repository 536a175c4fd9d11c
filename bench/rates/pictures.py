"""The pictures of the rules' pages: small, plain, and the same bytes every time.

matplotlib is imported where something is drawn: the tests use the simulations without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

BLUE, ORANGE, GREY, GREEN = "#0072b2", "#d55e00", "#777777", "#009e73"
"""Colours that colour-blind readers tell apart (Okabe and Ito)."""
LIMIT_BYTES = 30_000
_STYLE: dict[RcKeyType, Any] = {
    "svg.hashsalt": "rules",
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def figure(panels: int = 1) -> tuple[Any, list[Any]]:
    """A figure with so many panels side by side, and its axes."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(_STYLE)
    drawing = Figure(figsize=(3.4 * panels, 2.5), layout="constrained")
    return drawing, list(drawing.subplots(1, panels, squeeze=False)[0])


def save(drawing: Any, path: Path) -> None:
    """Write the figure as an SVG; raises ValueError where it is larger than ``LIMIT_BYTES``."""
    drawing.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    if path.stat().st_size > LIMIT_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, more than {LIMIT_BYTES}: draw fewer points")

"""Write each chart's README.md from its Chart.yaml and the comments of its values.yaml, in the style of helm-docs.

``python charts/reference.py`` writes them, with ``--check`` it only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHARTS = Path(__file__).parent
_KEY = re.compile(r"^( *)([\w-]+):")
_COMMENT = re.compile(r"^ *# ?(-- )?(.*)$")


class Value(NamedTuple):
    """One line of the table. ``path`` is dotted; ``text`` is empty where values.yaml says nothing of it."""

    path: str
    default: object
    text: str


def documented(text: str) -> dict[str, str]:
    """The ``# --`` comment before each key, by the key's path."""
    found: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        key, remark = _KEY.match(line), _COMMENT.match(line)
        if remark:
            comment = [remark[2]] if remark[1] else [*comment, remark[2]] if comment else []
        elif key:
            indent = len(key[1])
            parents = [(depth, name) for depth, name in parents if depth < indent] + [(indent, key[2])]
            if comment:
                found[".".join(name for _, name in parents)] = " ".join(comment)
            comment = []
        else:
            comment = []
    return found


def values(text: str) -> list[Value]:
    """All values in the order of values.yaml; a map that is documented itself is one value."""
    comments = documented(text)

    def walk(node: Mapping[str, Any], prefix: str) -> Iterator[Value]:
        for name, child in node.items():
            path = f"{prefix}{name}"
            if isinstance(child, dict) and child and path not in comments:
                yield from walk(child, f"{path}.")
            else:
                yield Value(path, child, comments.get(path, ""))

    return list(walk(yaml.safe_load(text), ""))


def readme(chart: Path) -> str:
    """The text of the chart's README.md."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    rows = [
        f"| `{value.path}` | {_type(value.default)} | `{_cell(json.dumps(value.default))}` | {_cell(value.text)} |"
        for value in values((chart / "values.yaml").read_text())
    ]
    return "\n".join(
        [
            "<!-- Made by charts/reference.py from Chart.yaml and values.yaml; edit those. -->",
            f"# {about['name']}",
            "",
            f"{about['description']}. Version {about['version']}, for Kubernetes {about['kubeVersion']}.",
            "",
            "```sh",
            f"helm install {about['name']} charts/{about['name']} --namespace {about['name']} --create-namespace \\",
            "  --set image.registry=REGISTRY",
            "```",
            "",
            "Installing step by step: [docs/install.md](../../docs/install.md). "
            "Upgrading: [docs/upgrade.md](../../docs/upgrade.md). "
            "Security: [docs/security.md](../../docs/security.md).",
            "",
            "## Values",
            "",
            "| key | type | default | what it is |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _type(value: object) -> str:
    names = {bool: "bool", int: "int", str: "string", list: "list", dict: "object"}
    return names[type(value)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a README is out of date")
    check = parser.parse_args().check
    stale = 0
    for chart in sorted(path.parent for path in CHARTS.glob("*/Chart.yaml")):
        target, text = chart / "README.md", readme(chart)
        if check and (not target.exists() or target.read_text() != text):
            print(f"{target} is out of date: run python charts/reference.py", file=sys.stderr)
            stale = 1
        elif not check:
            target.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())

"""The forms in which remarks on a manifest are told: to people, to programs, and to a repository's checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from study_operator.cli.places import Place
from study_operator.findings import RULES


class Level(StrEnum):
    """An error keeps the study from starting, a warning is unwise, a note is to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said about a field of a file.

    ``rule`` is a rule's id, or what stands for a fault of form; ``advice`` and ``section``, of the playbook, are empty
    for the latter.
    """

    file: str
    level: Level
    path: str
    place: Place
    rule: str
    message: str
    advice: str = ""
    section: str = ""

    @property
    def text(self) -> str:
        """Message and advice in one."""
        return f"{self.message} {self.advice}".strip()


def text(remarks: Sequence[Remark]) -> Iterator[str]:
    """For people: a line with file, field and severity, and for a rule what to do and why."""
    for remark in remarks:
        named = f" [{remark.rule}]" if remark.section else ""
        yield ": ".join(filter(None, (remark.file, remark.path, remark.level, f"{remark.message}{named}")))
        if remark.section:
            yield f"    {remark.advice}"
            yield f"    Playbook: {remark.section}"


def as_json(remarks: Sequence[Remark]) -> Iterator[str]:
    """For programs: a list."""
    yield json.dumps(
        [
            {
                "file": remark.file,
                "line": remark.place.line,
                "severity": remark.level.value,
                "path": remark.path,
                "rule": remark.rule,
                "message": remark.message,
                "advice": remark.advice,
                "section": remark.section,
            }
            for remark in remarks
        ],
        indent=2,
    )


def github(remarks: Sequence[Remark]) -> Iterator[str]:
    """Workflow commands, which GitHub shows at the changed lines."""
    commands = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
    for remark in remarks:
        properties = {
            "file": remark.file,
            "line": str(remark.place.line),
            "col": str(remark.place.column),
            "title": remark.rule,
        }
        shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        told = ": ".join(filter(None, (remark.path, remark.text)))
        yield f"::{commands[remark.level]} {shown}::{_data(told)}"


def sarif(remarks: Sequence[Remark]) -> Iterator[str]:
    """Static Analysis Results Interchange Format 2.1.0 (OASIS), for code scanning."""
    rules = list(dict.fromkeys(remark.rule for remark in remarks))
    yield json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "study lint",
                            "version": version("study-operator"),
                            "rules": [_sarif_rule(rule) for rule in rules],
                        }
                    },
                    "results": [_sarif_result(remark, rules.index(remark.rule)) for remark in remarks],
                }
            ],
        },
        indent=2,
    )


def _sarif_rule(rule: str) -> dict[str, object]:
    known = RULES.get(rule)
    if known is None:
        return {"id": rule, "shortDescription": {"text": "The manifest is not a study"}}
    return {
        "id": rule,
        "shortDescription": {"text": known.title},
        "help": {"text": f"Deep learning tuning playbook: {known.section}. See docs/rules/{known.page}.md."},
    }


def _sarif_result(remark: Remark, rule: int) -> dict[str, object]:
    return {
        "ruleId": remark.rule,
        "ruleIndex": rule,
        "level": remark.level.value,
        "message": {"text": remark.text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(remark.file)},
                    "region": {"startLine": remark.place.line, "startColumn": remark.place.column},
                },
                **({"logicalLocations": [{"fullyQualifiedName": remark.path}]} if remark.path else {}),
            }
        ],
    }


def _uri(file: str) -> str:
    """A relative file stays relative to the repository's root, as code scanning wants it."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else Path("/", path).as_uri().removeprefix("file:///")


def _data(told: str) -> str:
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Sequence[Remark]], Iterator[str]]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}

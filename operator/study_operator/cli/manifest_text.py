"""Edits a manifest in its own text, so that a person's comments, order and spelling stay as they are.

A library that reads YAML and writes it again changes quotes, indentation and line breaks all over a file, and what is
reviewed in a repository is the difference. So the parser's marks say where a field stands, and only its characters are
replaced; a comment with the reason goes above it. What comes out is read again and held against what was meant: a text
that cannot be edited so (a field behind an alias) is written anew instead.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from study_operator.api import InvalidManifest
from study_operator.api.yaml import LOADER, composed, load_manifest
from study_operator.rounds import Content, Drop, Edit, Put, Swap

MARK = "# study next: "
"""What comments of this module begin with, so that those of the round before can be taken out."""

ANEW = (
    "This was written anew, without the comments of the round before: that manifest cannot be edited in place, as "
    "where it has aliases."
)
"""What a person is told whose text could not be kept."""

WIDTH = 118


@dataclass(frozen=True, slots=True)
class Remarked:
    """Edits that belong together, and the comment that gives their reason; an empty one is not written."""

    edits: tuple[Edit, ...]
    comment: str = ""


class NotEditable(ValueError):
    """The text cannot be edited in place."""


def edited(text: str, header: Sequence[str], changes: Sequence[Remarked]) -> str:
    """The manifest in ``text`` with the ``changes``, and a paragraph of comment at its top for each of ``header``."""
    manifest = load_manifest(text)
    expected = _canonical(applied(manifest, [edit for change in changes for edit in change.edits]))
    text = _without_earlier_comments(text)
    for source, told in ((text, ()), (dumped(manifest), (ANEW,))):
        try:
            candidate = _spliced(source, [*header, *told], changes)
            if _canonical(load_manifest(candidate)) == expected:
                return candidate
        except (NotEditable, InvalidManifest):
            continue
    raise NotEditable("the manifest cannot be edited")


def dumped(manifest: Mapping[str, Any]) -> str:
    """``manifest`` as YAML that is read back as it is."""
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def applied(manifest: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """``manifest`` after ``edits``, whose paths are those before any of them."""
    result: dict[str, Any] = json.loads(json.dumps(manifest))  # what stands behind an alias is no longer shared
    dropped: list[tuple[list[Any], int]] = []
    for edit in edits:
        *steps, last = _steps(edit.path)
        place: Any = result
        for step in steps:
            place = place[step]
        match edit:
            case Put(_, value):
                place[last] = value
            case Swap(_, key, value):
                del place[last]
                place[key] = value
            case Drop():
                dropped.append((place, int(last)))
    for entries, index in sorted(dropped, key=lambda each: each[1], reverse=True):
        del entries[index]
    return result


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]


def _canonical(value: object) -> str:
    """Equal for equal manifests: without the order of keys, and with 1.0 as 1."""

    def plain(each: Any) -> Any:
        match each:
            case Mapping():
                return {key: plain(member) for key, member in each.items()}
            case list() | tuple():
                return [plain(member) for member in each]
            case float() if each.is_integer():
                return int(each)
            case _:
                return each

    return json.dumps(plain(value), sort_keys=True)


def _without_earlier_comments(text: str) -> str:
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith(MARK))
    try:
        return kept if load_manifest(kept) == load_manifest(text) else text
    except InvalidManifest:
        return text


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field or a list's entry: what holds it, its key (None in a list), its value, and the line to comment above."""

    holder: yaml.CollectionNode
    key: yaml.Node | None
    value: yaml.Node
    line: int


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str


def _spliced(text: str, header: Sequence[str], changes: Sequence[Remarked]) -> str:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, LOADER)):
        raise NotEditable("a field may stand behind an alias")
    editor = _Editor(text)
    splices = [_Splice(0, 0, editor.comment(paragraph, "")) for paragraph in header]
    for change in changes:
        splices += editor.splices(change)
    last = len(text)
    for splice in sorted(enumerate(splices), key=lambda each: (each[1].start, each[1].end, each[0]), reverse=True):
        if splice[1].end > last:
            raise NotEditable("two changes touch one another")
        last = splice[1].start
        text = text[: splice[1].start] + splice[1].text + text[splice[1].end :]
    return text


class _Editor:
    """Turns edits into splices of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._lines = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", text))]
        self._entries: dict[str, _Entry] = {}
        self._index(composed(text), "", None)

    def _index(self, node: yaml.Node | None, path: str, line: int | None) -> None:
        """Note every entry below ``node``; ``line`` is where the outermost flow collection around it is held."""
        if isinstance(node, yaml.MappingNode):
            members = [(key, value, f"{path}.{key.value}".removeprefix(".")) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            members = [(None, value, f"{path}[{index}]") for index, value in enumerate(node.value)]
        else:
            return
        for key, value, inner in members:
            own = (key or value).start_mark.line if line is None else line
            self._entries[inner] = _Entry(node, key, value, own)
            flow = isinstance(value, yaml.CollectionNode) and value.flow_style
            self._index(value, inner, own if line is not None or flow else None)

    def comment(self, paragraph: str, indent: str) -> str:
        """Lines of comment; an empty paragraph has none."""
        plain = "".join(letter if letter.isprintable() else " " for letter in paragraph)
        lines = textwrap.wrap(plain, max(40, WIDTH - len(indent) - len(MARK)), break_long_words=False)
        return "".join(f"{indent}{MARK}{line}{self._newline}" for line in lines)

    def splices(self, change: Remarked) -> Iterator[_Splice]:
        """What ``change`` does to the text. Raises NotEditable."""
        comment = change.comment
        for edit in change.edits:
            entry = self._entries.get(edit.path)
            if entry is None:
                yield self._insertion(edit, comment)
            else:
                if comment:
                    yield self._comment_above(entry, comment)
                yield self._replacement(entry, edit)
            comment = ""

    def _comment_above(self, entry: _Entry, comment: str) -> _Splice:
        start = self._lines[entry.line]
        indent = re.match(r" *", self._text[start:])
        return _Splice(start, start, self.comment(comment, indent[0] if indent else ""))

    def _replacement(self, entry: _Entry, edit: Edit) -> _Splice:
        if isinstance(edit, Drop):
            return self._dropped(entry)
        if entry.key is None:
            raise NotEditable("an entry of a list is not replaced")
        key = self._text[entry.key.start_mark.index : entry.key.end_mark.index] if isinstance(edit, Put) else edit.key
        return _Splice(entry.key.start_mark.index, _end(self._text, entry.value), f"{key}: {_inline(edit.value)}")

    def _dropped(self, entry: _Entry) -> _Splice:
        siblings = entry.holder.value
        place = siblings.index(entry.value)
        start, end = entry.value.start_mark.index, _end(self._text, entry.value)
        following = siblings[place + 1].start_mark.index if place + 1 < len(siblings) else None
        if entry.holder.flow_style:
            if following is not None:
                return _Splice(start, following, "")
            return _Splice(_end(self._text, siblings[place - 1]) if place else start, end, "")
        dash = self._text.rfind("-", 0, start)
        line = self._line_start(dash)
        if self._text[line:dash].strip() and following is not None:  # its line begins with another list's dash
            return _Splice(dash, self._text.rfind("-", 0, following), "")
        return _Splice(line, self._next_line(end), "")

    def _insertion(self, edit: Edit, comment: str) -> _Splice:
        """A new field, after the first one of the map that is to hold it."""
        holder_path, _, key = edit.path.rpartition(".")
        holder = self._entries.get(holder_path)
        if not isinstance(edit, Put) or holder is None or not isinstance(holder.value, yaml.MappingNode):
            raise NotEditable(f"{holder_path} is no map")
        field = f"{key}: {_inline(edit.value)}"
        node = holder.value
        if node.flow_style or not node.value:
            start = node.start_mark.index + 1
            return _Splice(start, start, f"{field}, " if node.value else field)
        first_key, first_value = node.value[0]
        indent = " " * first_key.start_mark.column
        start = self._next_line(_end(self._text, first_value))
        ended = start == 0 or self._text[start - 1] in "\r\n"
        line = f"{self.comment(comment, indent)}{indent}{field}{self._newline}"
        return _Splice(start, start, line if ended else self._newline + line)

    def _line_start(self, index: int) -> int:
        return max(start for start in self._lines if start <= index)

    def _next_line(self, index: int) -> int:
        return min((start for start in self._lines if start > index), default=len(self._text))


def _end(text: str, node: yaml.Node) -> int:
    """Where a node's own characters end: a block collection's mark is beyond the comments that follow it.

    A text that keeps its line ends (``|+``) has the empty lines below it, too, and ends before the last one's end.
    """
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start, end = node.start_mark.index, node.end_mark.index
    if not isinstance(node, yaml.ScalarNode) or node.style not in ("|", ">"):
        return end
    kept = re.match(r"[|>]\d?\+", text[start:end])
    return len(text[:end].removesuffix("\n").removesuffix("\r") if kept else text[:end].rstrip())


def _inline(value: Content) -> str:
    """A value on one line."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Writes a text plainly only if it is read back as that text, by kubectl's rules and not by PyYAML's."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    try:
        plain = load_manifest(f"x: {text}") == {"x": text}
    except InvalidManifest:
        plain = False
    style = None if plain else "|" if "\n" in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)

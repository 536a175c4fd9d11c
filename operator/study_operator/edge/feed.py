"""From watch events to the controller: studies are parsed, runs are joined, nothing is decided.

A study's own status writes come back as events too, so a manifest is parsed again only when its generation has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Protocol

from study_operator.api import InvalidManifest, Study, parse_study
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.kubernetes.projections import Object
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.space import Problem

logger = logging.getLogger(__name__)


class Studies(Protocol):
    """The controller, as far as it takes studies."""

    def study_changed(self, study: Study) -> None: ...

    def study_refused(
        self, ref: StudyRef, generation: int, problems: Sequence[Problem], told: Mapping[str, object]
    ) -> None: ...

    def study_gone(self, key: StudyKey) -> None: ...


class Feed:
    """Hands over to ``controller``; Jobs and pods go to ``runs``."""

    def __init__(self, controller: Studies, runs: RunObserver) -> None:
        self.runs = runs
        self._controller = controller
        self._seen: dict[StudyKey, tuple[str, int, bool]] = {}
        """Of each study its uid and generation, and whether it is being deleted."""

    def study_changed(self, raw: Object) -> None:
        """A Study appeared or changed."""
        metadata = raw["metadata"]
        study = _reference(raw)
        seen = (study.uid, metadata.get("generation", 0), "deletionTimestamp" in metadata)
        last = self._seen.get(study.key)
        # A generation never falls and a deletion is never taken back, so what says less than was seen is older.
        if last is not None and last[0] == study.uid and seen <= last:
            return
        self._seen[study.key] = seen
        self.runs.study_changed(study.key, study.uid)
        try:
            self._controller.study_changed(parse_study(raw))
        except InvalidManifest as invalid:
            self._controller.study_refused(study, seen[1], invalid.problems, raw.get("status") or {})

    def study_gone(self, raw: Object) -> None:
        """A Study was deleted."""
        study = _reference(raw)
        seen = self._seen.get(study.key)
        if seen is None or seen[0] == study.uid:
            self._forget(study.key)

    def known(self) -> Set[StudyRef]:
        """The lives of studies that there are, as far as was told."""
        return {StudyRef(key, uid) for key, (uid, *_) in self._seen.items()}

    def studies_listed(self, listed: Iterable[Object], known: Set[StudyRef]) -> None:
        """``listed`` are all the studies that there were after ``known`` were known.

        The watch may have told of later things meanwhile, which stand: a study that came since is not missing, and one
        that went since does not come back.
        """
        present = {_reference(raw): raw for raw in listed}
        left = known - self.known()
        for study, raw in present.items():
            if study not in left:
                self.study_changed(raw)
        for study in (known & self.known()) - present.keys():
            self._forget(study.key)

    def _forget(self, key: StudyKey) -> None:
        if self._seen.pop(key, None) is not None:
            logger.info("study %s is gone, and what belongs to it goes with it", key)
        self.runs.study_gone(key)
        self._controller.study_gone(key)


def _reference(raw: Object) -> StudyRef:
    metadata = raw["metadata"]
    return StudyRef(StudyKey(metadata["namespace"], metadata["name"]), metadata["uid"])

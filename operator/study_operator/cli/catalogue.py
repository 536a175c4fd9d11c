"""Where studies are looked up: folders on this machine, or a cluster.

Both give resources in the one form that ``kubectl get -o json`` shows, so that what is listed, watched and exported is
the same.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from study_operator.api import InvalidManifest, InvalidRecord, Study, check_semantics, parse_study, trial_from_manifest
from study_operator.backends.local import StudyFolder
from study_operator.backends.port import BackendError
from study_operator.cli.failure import Failure, faulty
from study_operator.cli.opening import STUDIES, load_resource
from study_operator.results.trial import Trial, TrialSpec

if TYPE_CHECKING:
    from study_operator.backends.kubernetes.client import Client

T = TypeVar("T")

LOOK_INTERVAL = 0.5
"""Seconds between two looks into a folder."""

CONFIG_ANNOTATION = "tuning.study/config"
"""On a study: a link to where its manifest is kept, for the tracking table."""


@dataclass(frozen=True, slots=True)
class Found:
    """A study's resource, and where its manifest is: a file, or ``namespace/name``."""

    resource: Mapping[str, Any]
    config: str

    @property
    def name(self) -> str:
        return str(self.resource["metadata"]["name"])

    @property
    def status(self) -> Mapping[str, Any]:
        return self.resource.get("status") or {}

    def parsed(self) -> Study:
        """The study, whether or not it makes sense. Raises Failure where its manifest cannot be read."""
        try:
            return parse_study(self.resource)
        except InvalidManifest as invalid:
            raise faulty(self.name, invalid.problems) from invalid

    def checked(self) -> Study:
        """A study that makes sense. Raises Failure with everything that is wrong with its manifest."""
        study = self.parsed()
        if problems := check_semantics(study):
            raise faulty(self.name, problems)
        return study


class Catalogue(Protocol):
    """Where studies are."""

    def studies(self) -> Sequence[Found]:
        """All of them, by name."""
        ...

    def study(self, name: str) -> Found:
        """One of them. Raises Failure where there is none."""
        ...

    def changes(self, name: str) -> AsyncGenerator[Found, None]:
        """One of them, as it is and as it becomes. Raises Failure where there is none, or none any more."""
        ...

    def trials(self, name: str) -> Sequence[Trial]:
        """A study's trials, by index."""
        ...

    def text(self, name: str) -> str:
        """A study's manifest as it was written, comments and all; empty where only the resource is kept."""
        ...


class Folders:
    """Studies in folders below ``root``; a name may be a path to a study's folder too."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def studies(self) -> Sequence[Found]:
        """Those that have begun; of one that cannot be read it is told why, and the others are shown.

        Raises Failure where a folder that somebody named is none.
        """
        if not self._root.is_dir():
            if self._root != STUDIES or self._root.exists():
                raise Failure(f"{self._root} is no folder: name the one that has the studies with --studies")
            return []
        found = []
        for path in filter(lambda path: StudyFolder(path).begun(), sorted(self._root.iterdir())):
            try:
                found.append(_found(path))
            except Failure as failure:
                failure.show()
        return found

    def study(self, name: str) -> Found:
        """By its name, or its folder."""
        return _found(self._path(name))

    async def changes(self, name: str) -> AsyncGenerator[Found, None]:
        """Looked at again and again: a folder may lie where no file system tells of changes."""
        while True:
            yield self.study(name)
            await asyncio.sleep(LOOK_INTERVAL)

    def trials(self, name: str) -> Sequence[Trial]:
        """From their files."""
        try:
            return StudyFolder(self._path(name)).trials()
        except BackendError as error:
            raise Failure(str(error)) from error

    def text(self, name: str) -> str:
        """Its file."""
        return StudyFolder(self._path(name)).study_text()

    def _path(self, name: str) -> Path:
        for path in (Path(name), self._root / name):
            if StudyFolder(path).begun():
                return path
        raise Failure(
            f"there is no study {name!r} in {self._root}: name its folder, or look in a cluster with --cluster"
        )


class Cluster:
    """Studies of a namespace, or of all (None)."""

    def __init__(self, kubeconfig: Path | None, namespace: str | None, all_namespaces: bool) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._all = all_namespaces

    def studies(self) -> Sequence[Found]:
        """In the order of the API server: by namespace and name."""
        resources = self._ask(lambda client, namespace: self._listed(client, "studies", namespace))
        return [_in_cluster(resource) for resource in resources]

    def study(self, name: str) -> Found:
        """By its name."""

        async def read(client: Client, namespace: str | None) -> dict[str, Any]:
            from study_operator.backends.kubernetes.client import STUDIES as RESOURCE

            return await client.read(RESOURCE.path(namespace or "default", name))

        return _in_cluster(self._ask(read))

    async def changes(self, name: str) -> AsyncGenerator[Found, None]:
        """Watched; what breaks the watch off is told on standard error, and it goes on."""
        from study_operator.backends.kubernetes.client import STUDIES as RESOURCE
        from study_operator.backends.kubernetes.follow import follow

        try:
            async with self._client() as client:
                namespace = self._namespace or self._default_namespace()
                problem, path = f"there is no study {name!r} in namespace {namespace}", RESOURCE.path(namespace)
                async with aclosing(follow(client, path, name, lambda error: click.echo(error, err=True))) as resources:
                    async for resource in resources:
                        problem = f"the study {name!r} was deleted"
                        yield _in_cluster(resource)
        except BackendError as error:
            raise Failure(str(error)) from error
        raise Failure(problem)

    def trials(self, name: str) -> Sequence[Trial]:
        """Found by their label."""
        selector = f"tuning.study/study={name}"
        resources = self._ask(lambda client, namespace: self._listed(client, "trials", namespace, selector))
        try:
            return sorted(map(trial_from_manifest, resources), key=lambda trial: trial.spec.index)
        except InvalidRecord as error:
            raise Failure(str(error)) from error

    def text(self, name: str) -> str:
        """An API server keeps none."""
        return ""

    async def _listed(
        self, client: Client, plural: str, namespace: str | None, selector: str = ""
    ) -> list[dict[str, Any]]:
        from study_operator.backends.kubernetes import client as kubernetes

        resource = {"studies": kubernetes.STUDIES, "trials": kubernetes.TRIALS}[plural]
        path = resource.path(namespace)
        return [item async for page in client.pages(path, label_selector=selector) for item in page]

    def _ask(self, question: Callable[[Client, str | None], Awaitable[T]]) -> T:
        async def ask() -> T:
            async with self._client() as client:
                return await question(client, None if self._all else self._namespace or self._default_namespace())

        try:
            return asyncio.run(ask())
        except BackendError as error:
            raise Failure(str(error)) from error

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        # Imported here, because a study on a laptop need not wait for a cluster's client.
        from study_operator.backends.kubernetes.client import Client, load_configuration

        configuration, refresh = await load_configuration(self._kubeconfig)
        client = Client(configuration, user_agent="study")
        try:
            yield client
        finally:
            await client.close()
            if refresh is not None:
                refresh.cancel()

    def _default_namespace(self) -> str:
        from kubernetes.aio.config import ConfigException, list_kube_config_contexts

        try:
            path = None if self._kubeconfig is None else str(self._kubeconfig)
            _, active = list_kube_config_contexts(path)  # type: ignore[no-untyped-call]
        except (ConfigException, OSError):
            return "default"
        return str(active.get("context", {}).get("namespace") or "default")


def catalogue_options(command: Callable[..., T]) -> Callable[..., T]:
    """The options that say where to look; the command gets a ``catalogue``. ``kubectl study`` looks in the cluster."""

    @click.option(
        "--studies", type=click.Path(path_type=Path), default=STUDIES, show_default=True, help="The folder of studies."
    )
    @click.option("--cluster", is_flag=True, help="Look in a cluster; also by any of the options below.")
    @click.option("-n", "--namespace", metavar="NAME", help="In the cluster.  [default: the kubeconfig's]")
    @click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True), help="How to reach the cluster.")
    @functools.wraps(command)
    def with_catalogue(
        *arguments: Any, studies: Path, cluster: bool, namespace: str | None, kubeconfig: Path | None, **options: Any
    ) -> T:
        everywhere = bool(options.get("all_namespaces"))
        as_plugin = Path(sys.argv[0]).name.startswith("kubectl-")
        if cluster or namespace or kubeconfig or everywhere or as_plugin:
            return command(*arguments, catalogue=Cluster(kubeconfig, namespace, everywhere), **options)
        return command(*arguments, catalogue=Folders(studies), **options)

    return with_catalogue


def in_manifest_order(trials: Sequence[Trial], study: Study) -> tuple[Trial, ...]:
    """The trials with their parameters in the order of the manifest; an API server sorts the names of a map."""
    places = {definition.name: place for place, definition in enumerate(study.hyperparameters)}

    def ordered(spec: TrialSpec) -> TrialSpec:
        names = sorted(spec.parameters, key=lambda name: places.get(name, len(places)))
        return replace(spec, parameters={name: spec.parameters[name] for name in names})

    return tuple(replace(trial, spec=ordered(trial.spec)) for trial in trials)


def _found(path: Path) -> Found:
    resource = load_resource(path)
    return Found(resource, _config(resource, str(path / "study.yaml")))


def _in_cluster(resource: Mapping[str, Any]) -> Found:
    metadata = resource["metadata"]
    return Found(resource, _config(resource, f"{metadata['namespace']}/{metadata['name']}"))


def _config(resource: Mapping[str, Any], otherwise: str) -> str:
    return str((resource["metadata"].get("annotations") or {}).get(CONFIG_ANNOTATION) or otherwise)

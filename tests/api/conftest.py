"""The API server with the resources installed, as a client with no conveniences sees it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.cluster.control_plane import ControlPlane

GROUP = "apis/tuning.study/v1alpha1"


class ApiServer:
    """Requests on the resources of one namespace, with unknown fields refused as kubectl asks for it."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.kubectl = plane.kubectl
        self.namespace = namespace
        self._url = f"{plane.access.url}/{GROUP}/namespaces/{namespace}"
        self._session = requests.Session()
        self._session.cert = (str(plane.access.client.certificate), str(plane.access.client.key))
        self._session.trust_env = False
        self._session.verify = str(plane.access.authority)

    def create(self, plural: str, manifest: object, dry_run: bool = False) -> requests.Response:
        return self._request("POST", plural, manifest, dry_run)

    def update(self, plural: str, manifest: dict[str, Any], dry_run: bool = False) -> requests.Response:
        return self._request("PUT", f"{plural}/{manifest['metadata']['name']}", manifest, dry_run)

    def write_status(self, plural: str, name: str, status: object) -> dict[str, Any]:
        """The object with ``status`` in it, as the server keeps it."""
        manifest = self.read(plural, name) | {"status": status}
        response = self._request("PUT", f"{plural}/{name}/status", manifest, dry_run=False)
        assert response.ok, response.text
        return self.read(plural, name)

    def read(self, plural: str, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.get(f"{self._url}/{plural}/{name}").json()
        return answer

    def close(self) -> None:
        self._session.close()

    def _request(self, method: str, path: str, manifest: Any, dry_run: bool) -> requests.Response:
        parameters = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        return self._session.request(method, f"{self._url}/{path}", json=manifest, params=parameters)


@pytest.fixture(scope="session")
def resources(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the definitions of crds/ installed."""
    control_plane.install_crds()
    return control_plane


@pytest.fixture
def server(resources: ControlPlane, namespace: str) -> Any:
    client = ApiServer(resources, namespace)
    yield client
    client.close()

"""An operator at work on the shared control plane, and the node of the tests with its four GPUs."""

from tests.end_to_end.conftest import begun, module_replicas, operator, place, replicas, resources

__all__ = ["begun", "module_replicas", "operator", "place", "replicas", "resources"]

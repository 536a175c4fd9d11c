"""A real control plane, a real Prometheus and a small node agent: what the tests run against instead of mocks."""

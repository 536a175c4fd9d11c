"""Trials as Jobs of a cluster: the port over the Kubernetes API."""

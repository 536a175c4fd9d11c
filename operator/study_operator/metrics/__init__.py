"""Metrics: where a trial's numbers are read from."""

"""What an administrator may set of the controller. All durations are in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How patient, how generous and how talkative the controller is.

    - ``retention``: how long an ended run is kept once its result is durable, so that its logs can be read.
    - ``unplaced_cap``: how many runs may wait for a node at once. More would only lengthen the scheduler's queue.
    - ``infrastructure_retries``: how often a trial is run again after a failure that is not its own.
    - ``failing_trials``: a study whose first trials all fail, this many, is stalled: the cause is in the template, not
      in the points.
    - ``metrics_patience``: how long points that the trainer reported, but the metrics source lacks, are waited for.
    - ``metrics_deadline``: how long a metrics source that cannot be asked is waited for.
    - ``status_interval``: the least time between two writes of one study's status.
    - ``trial_state_delay``: a trial that is queued or running shorter than this is not written before its end.
    - ``concurrent_collections``: how many trials' series are fetched at once, over all studies.
    - ``analysis_interval``: the least time between two analyses of one study while it runs; a long one waits longer.
    - ``concurrent_analyses``: how many studies are analysed at once.
    - ``concurrent_writes``: how many of one study's trials are written at once.
    """

    retention: float = 600.0
    unplaced_cap: int = 2
    infrastructure_retries: int = 3
    failing_trials: int = 3
    metrics_patience: float = 60.0
    metrics_deadline: float = 3600.0
    status_interval: float = 1.0
    trial_state_delay: float = 5.0
    concurrent_collections: int = 16
    concurrent_writes: int = 16
    analysis_interval: float = 5.0
    concurrent_analyses: int = 2

"""What a trainer needs to take part in a tuning study.

A trainer is a user's own program, so this package asks for little: it depends on prometheus-client alone, does
nothing when the program runs by hand, and never lets a failure of its own plumbing (a taken port, a read-only log)
end a training run.
"""

from study_trainer.checkpoints import Direction
from study_trainer.endings import DIVERGED, OUT_OF_MEMORY, TERMINATED, Diverged
from study_trainer.environment import InvalidEnvironment, Parameter
from study_trainer.trial import Trial

__all__ = [
    "DIVERGED",
    "OUT_OF_MEMORY",
    "TERMINATED",
    "Direction",
    "Diverged",
    "InvalidEnvironment",
    "Parameter",
    "Trial",
]

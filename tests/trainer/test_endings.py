import errno
import subprocess
import sys

import pytest
from study_trainer.endings import Diverged, ending_of


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch's, which is not installed here."""


def chained(cause):
    try:
        try:
            raise cause
        except BaseException as error:
            raise ValueError("the step failed") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "exception, state, reason, exit_code",
    [
        (None, "Succeeded", "Completed", 0),
        (SystemExit(0), "Succeeded", "Completed", 0),
        (SystemExit(), "Succeeded", "Completed", 0),
        (Diverged("the loss is NaN"), "Infeasible", "Diverged", 65),
        (SystemExit(65), "Infeasible", "Diverged", 65),
        (SystemExit(66), "Infeasible", "OutOfMemory", 66),
        (MemoryError(), "Infeasible", "OutOfMemory", 66),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Infeasible", "OutOfMemory", 66),
        (OutOfMemoryError("CUDA"), "Infeasible", "OutOfMemory", 66),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes"), "Infeasible", "OutOfMemory", 66),
        (RuntimeError("CUDA error: out of memory"), "Infeasible", "OutOfMemory", 66),
        (chained(MemoryError()), "Infeasible", "OutOfMemory", 66),
        (ValueError("a label is out of memory lane"), "Failed", "Error", 1),
        (RuntimeError("a shape does not fit"), "Failed", "Error", 1),
        (SystemExit(3), "Failed", "Error", 3),
        (SystemExit("no data"), "Failed", "Error", 1),
        (KeyboardInterrupt(), "Failed", "Terminated", 130),
    ],
    ids=repr,
)
def test_the_exception_decides_the_outcome(exception, state, reason, exit_code):
    ending = ending_of(exception)
    assert (ending.state, ending.reason, ending.exit_code) == (state, reason, exit_code)


OUT_OF_MEMORY = """
import jax.numpy
from study_trainer.endings import ending_of

try:
    jax.numpy.zeros((2**24, 2**24)).block_until_ready()  # more than the address space, so that no kernel promises it
except RuntimeError as error:
    print(ending_of(error).reason)
"""


def test_what_jax_raises_when_memory_runs_out_is_told_as_that():
    # In a process of its own: JAX's threads would forbid later tests to fork.
    told = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, check=True)
    assert told.stdout == "OutOfMemory\n"


def test_a_message_is_one_sentence_that_names_the_error():
    assert ending_of(KeyError("weights")).message == "KeyError: 'weights'"
    message = ending_of(ValueError("line\n" * 100_000)).message
    assert len(message) == 256 and "\n" not in message

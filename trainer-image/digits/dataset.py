"""The handwritten digits that ship with scikit-learn: 1,797 images of 8 x 8 pixels, split once and for all.

The split and the label noise have a seed of their own, because the trials of a study must differ in what they do with
the data, not in the data. The file is read without importing scikit-learn, which would take longer than the training.
The last 400 images are a test set that no trial sees: a study chooses by the validation error, so only untouched
images can tell afterwards how good the choice is.
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits.hyperparameters import TRAINING_EXAMPLES

CLASSES = 10
PIXELS = 64
TEST_EXAMPLES = 400
SPLIT_SEED = 20220101


@dataclass(frozen=True, slots=True)
class Examples:
    """``images``: float32 (examples, 64), from 0 to 1; ``labels``: int32 (examples,), from 0 to 9."""

    images: NDArray[np.float32]
    labels: NDArray[np.int32]


def load(training_examples: int, label_noise: float) -> tuple[Examples, Examples]:
    """The training and the validation examples.

    A larger ``training_examples`` or ``label_noise`` adds to the examples, or to the wrong labels, of a smaller one.
    """
    table = _table()
    random = np.random.default_rng(SPLIT_SEED)
    table = table[random.permutation(len(table))]
    images, labels = (table[:, :PIXELS] / 16).astype(np.float32), table[:, PIXELS].astype(np.int32)
    wrong = (labels + random.integers(1, CLASSES, len(labels), dtype=np.int32)) % CLASSES
    noisy = np.where(random.random(len(labels)) < label_noise, wrong, labels)
    return (
        Examples(images[:training_examples], noisy[:training_examples]),
        Examples(images[TRAINING_EXAMPLES:-TEST_EXAMPLES], labels[TRAINING_EXAMPLES:-TEST_EXAMPLES]),
    )


def _table() -> NDArray[np.float64]:
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(
            "scikit-learn, which ships the digits, is not installed: pip install 'study-trainer[digits]'"
        )
    with gzip.open(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        return np.loadtxt(file, delimiter=",")

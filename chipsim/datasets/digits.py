"""digits: scikit-learn's bundled handwritten digits (UCI, E. Alpaydin and C. Kaynak 1998), 1797 images of 8x8 pixels, values 0..16.

Stratified split, 80 % train and 20 % test, with a seed of its own: the split does not depend on the seed of a run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chipsim.datasets import DataSet

SPLIT_SEED = 0
TEST_SHARE = 0.2
FULL_SCALE = 16.0


def read(root: Path | None = None) -> DataSet:
    """Return the digits as intensities in [0, 1]; `root` is not needed."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / FULL_SCALE, labels, test_size=TEST_SHARE, random_state=SPLIT_SEED, stratify=labels)
    train_x, test_x, train_y, test_y = split
    return DataSet(train_x, train_y.astype(np.int64), test_x, test_y.astype(np.int64), 10)

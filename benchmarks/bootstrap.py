"""Time the patient-level bootstrap against a plain loop over scikit-learn, in one run on simulated scores.

    python benchmarks/bootstrap.py [--resamples 1000] [--reference 20]

The size is that of the PTB-XL subclass task: 2,158 records of 1,900 patients, 23 classes. Every resample of
the loop is compared with ours, AUROC and average precision.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from merl.evaluation.bootstrap import bootstrap_areas, resample_weights

RECORDS, PATIENTS, CLASSES = 2158, 1900, 23


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--reference", type=int, default=20, help="resamples of the scikit-learn loop")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    labels = random.random((RECORDS, CLASSES)) < random.uniform(0.005, 0.4, CLASSES)
    scores = random.normal(size=labels.shape) + labels
    patients = np.concatenate([np.arange(PATIENTS), random.integers(PATIENTS, size=RECORDS - PATIENTS)])

    start = time.perf_counter()
    drawn = bootstrap_areas([scores], labels, patients, resamples=options.resamples)
    ours = (time.perf_counter() - start) / options.resamples

    drawing = resample_weights(patients, options.reference, 0, records=RECORDS)
    weights = np.concatenate(list(drawing), axis=1)
    start = time.perf_counter()
    expected = np.array(
        [
            [
                [score(labels[:, c], scores[:, c], sample_weight=column) for c in range(CLASSES)]
                for column in weights.T
            ]
            for score in (roc_auc_score, average_precision_score)
        ]
    )
    theirs = (time.perf_counter() - start) / options.reference

    error = np.abs(drawn[:, 0, : options.reference] - expected).max(axis=(1, 2))
    size = f"{RECORDS} records x {CLASSES} classes"
    print(f"{options.resamples} resamples of {size}: {ours * options.resamples:.2f} s")
    print(f"a scikit-learn loop, from {options.reference} resamples: {theirs * options.resamples:.1f} s")
    print(f"ratio {theirs / ours:.0f}")
    print(f"largest difference: AUROC {error[0]:.1e}, average precision {error[1]:.1e}")


if __name__ == "__main__":
    main()

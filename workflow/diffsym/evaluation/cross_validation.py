"""Cross-validation: each structure outside the test set is predicted by a network new to it.

Each member is trained on all folds but its own, on which it is validated. The validation rows of
all members together therefore contain every such structure once.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.evaluation.bootstrap import Floats
from diffsym.evaluation.macro import mean_over_sets
from diffsym.evaluation.scores import CrossValidation, MeanOverSets


def out_of_fold(predictions: Sequence[pa.Table], folds: Mapping[str, int]) -> pa.Table:
    """The validation rows of all members as one predictions table.

    Parameters
    ----------
    predictions
        One predictions table per member; member m validates on fold m.
    folds
        Fold of each structure by its identifier.

    Raises
    ------
    DiffsymError
        If a fold contains no structures, or a member was validated on another fold.
    """
    parts = [table.filter(pc.equal(table["role"], "validation")) for table in predictions]
    for fold, part in enumerate(parts):
        if not part.num_rows:
            raise DiffsymError(
                f"no structure of fold {fold} belongs to the experiment's classes: "
                "lower folds of the split, or use more structures or other classes"
            )
        if {folds.get(identifier) for identifier in part["structure_id"].to_pylist()} != {fold}:
            raise DiffsymError(
                f"member {fold} of a cross-validation does not predict exactly fold {fold} "
                "of the split; delete its predictions and rerun the training"
            )
    return pa.concat_tables(parts)


def scores_by_fold(
    correct: Floats, baseline_correct: Floats, folds: NDArray[np.int64]
) -> CrossValidation:
    """Accuracy of each fold, and its mean over the folds.

    Parameters
    ----------
    correct, baseline_correct
        1 where the top-1 prediction of the members and of the label-frequency baseline is correct,
        otherwise 0, shape (n,).
    folds
        Fold of each structure, 0, 1, ..., shape (n,).
    """
    structures = np.bincount(folds)

    def mean(hits: Floats) -> MeanOverSets:
        return mean_over_sets((np.bincount(folds, hits) / structures).tolist())

    return CrossValidation(
        structures=structures.tolist(), accuracy=mean(correct), baseline=mean(baseline_correct)
    )

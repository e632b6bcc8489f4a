"""Logistic regression of Liu et al. 2019, Acta Cryst. A75, 633 (section 3.1 and appendix A).

One logistic function per space group, each for "this group or any other", with elastic-net
regularisation; on the descriptor X itself, or on its quadratic form {X_i X_j, j > i} (equation 5).

The estimator has scikit-learn's interface and is selected by scikit-learn's cross-validation. It
has its own fitting algorithm, because scikit-learn's stochastic descent takes 11 s for a pass over
the 21 736 products of 3 600 structures and 40 groups on two cores, and its other solvers take
longer. Here all groups share two matrix products per pass (0.2 s), and the products X_i X_j are
made in blocks of rows and never stored.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from diffsym.datasets.feeding import Partition
from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.settings.models.logistic import Logistic

Features = Literal["linear", "quadratic"]
Floats = NDArray[np.floating[Any]]

# Rows whose products are in memory at a time: 45 MB for a descriptor of 209 values.
BLOCK_ROWS = 512
# A fit ends when no coefficient moves by more than this share of the largest one.
TOLERANCE = 1e-4


def expand(descriptors: Floats, features: Features) -> Floats:
    """Features of descriptors: themselves, or {X_i X_j, j > i} ordered by i, then j.

    Parameters
    ----------
    descriptors
        (n, d) array.
    features
        "linear" or "quadratic".

    Returns
    -------
    ndarray
        (n, d) or (n, d (d - 1) / 2).
    """
    if features == "linear":
        return np.asarray(descriptors, np.float32)
    n, d = descriptors.shape
    products = np.empty((n, d * (d - 1) // 2), np.float32)
    start = 0
    for i in range(d - 1):
        stop = start + d - 1 - i
        np.multiply(descriptors[:, i : i + 1], descriptors[:, i + 1 :], out=products[:, start:stop])
        start = stop
    return products


def _blocks(descriptors: Floats | csr_array, features: Features) -> Iterator[tuple[slice, Floats]]:
    """Features of some rows at a time, those of sparse descriptors with their zeros."""
    for start in range(0, descriptors.shape[0], BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = descriptors[rows]
        yield rows, expand(block.toarray() if isinstance(block, csr_array) else block, features)


class ElasticNetLogistic(ClassifierMixin, BaseEstimator):
    """One elastic-net logistic regression per class, fitted together.

    Minimises, for each class, the mean of the logistic loss plus
    `alpha * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 * |w|_2^2)`, as scikit-learn's `SGDClassifier`
    does with `loss="log_loss"`, where `w` are the coefficients of the standardised features (mean
    0, standard deviation 1); the intercept is free. Standardising makes the problem well
    conditioned and lets the penalty treat near and far distances alike.

    The algorithm is accelerated proximal gradient descent (FISTA; Beck & Teboulle 2009) with
    adaptive restart (O'Donoghue & Candes 2015) for each class.

    Parameters
    ----------
    features
        "linear" or "quadratic".
    alpha
        Strength of the penalty.
    l1_ratio
        Share of its L1 term.
    max_epochs
        Passes over the data at most.

    Attributes
    ----------
    classes_
        Labels, (k,).
    coef_
        Coefficients of the features as they are (not standardised), (n_features, k).
    intercept_
        (k,).
    n_iter_
        Passes made.
    """

    def __init__(
        self,
        features: Features = "linear",
        alpha: float = 1e-5,
        l1_ratio: float = 0.75,
        max_epochs: int = 100,
    ) -> None:
        self.features = features
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.max_epochs = max_epochs

    def fit(self, X: Floats, y: NDArray) -> Self:
        """Fit to descriptors `X` (n, d) and labels `y` (n,)."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        k = len(self.classes_)
        targets = np.eye(k, dtype=np.float32)[codes]
        mean, scale = _moments(X, self.features)
        l1 = np.float32(self.alpha * self.l1_ratio)
        l2 = np.float32(self.alpha * (1 - self.l1_ratio))
        # The logistic loss has at most a quarter of the curvature of the squares. Features of
        # mean 0 leave the intercept's curvature, 1/4, apart from that of the weights.
        step = np.float32(1 / (_largest_eigenvalue(X, self.features, mean, scale) / 4 + l2))

        share = np.clip(targets.mean(axis=0), 1e-6, 1 - 1e-6)
        bias: Floats = np.log(share / (1 - share))
        weights: Floats = np.zeros((len(mean), k), np.float32)
        ahead, bias_ahead = weights, bias
        momentum = np.ones(k, np.float32)
        self.n_iter_ = 0
        settled = False
        while self.n_iter_ < self.max_epochs and not settled:
            self.n_iter_ += 1
            gradient, bias_gradient = self._gradient(X, targets, ahead, bias_ahead, mean, scale)
            new = ahead - step * (gradient + l2 * ahead)
            new = np.sign(new) * np.maximum(np.abs(new) - step * l1, 0)
            bias_new = bias_ahead - 4 * bias_gradient
            change, bias_change = new - weights, bias_new - bias
            overshot = np.einsum("ij,ij->j", ahead - new, change) > 0
            momentum[overshot] = 1
            momentum_new = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            carried = (momentum - 1) / momentum_new
            ahead, bias_ahead = new + carried * change, bias_new + carried * bias_change
            weights, bias, momentum = new, bias_new, momentum_new
            settled = np.abs(change).max() <= TOLERANCE * np.abs(weights).max()
        self.coef_ = weights / scale[:, None]
        self.intercept_ = bias - mean @ self.coef_
        return self

    def _gradient(
        self,
        X: Floats,
        targets: Floats,
        weights: Floats,
        bias: Floats,
        mean: Floats,
        scale: Floats,
    ) -> tuple[Floats, Floats]:
        """Gradient of the mean logistic loss by weights of standardised features and by bias."""
        coefficients = weights / scale[:, None]
        intercept = bias - mean @ coefficients
        gradient = np.zeros_like(weights)
        total = np.zeros_like(bias)
        for rows, block in _blocks(X, self.features):
            residuals = (expit(block @ coefficients + intercept) - targets[rows]) / len(targets)
            gradient += block.T @ residuals
            total += residuals.sum(axis=0)
        return (gradient - np.outer(mean, total)) / scale[:, None], total

    def decision_function(self, X: Floats) -> Floats:
        """Log-odds of each class, (n, k)."""
        return _log_odds(X, self.features, self.coef_, self.intercept_)

    def predict(self, X: Floats) -> NDArray:
        """Most probable label of each row, (n,)."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def _log_odds(X: Floats, features: Features, coefficients: Floats, intercept: Floats) -> Floats:
    log_odds = np.empty((X.shape[0], len(intercept)), np.float32)
    for rows, block in _blocks(X, features):
        log_odds[rows] = block @ coefficients + intercept
    return log_odds


def _moments(X: Floats, features: Features) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each feature; 1 for features that do not vary."""
    total = sum(block.sum(axis=0, dtype=np.float64) for _, block in _blocks(X, features))
    mean = total / X.shape[0]
    squares = sum(((block - mean) ** 2).sum(axis=0) for _, block in _blocks(X, features))
    deviation = np.sqrt(squares / X.shape[0])
    deviation[deviation < 1e-6] = 1
    return mean.astype(np.float32), deviation.astype(np.float32)


def _largest_eigenvalue(X: Floats, features: Features, mean: Floats, scale: Floats) -> float:
    """Largest eigenvalue of the features' correlation matrix, by power iteration.

    It is at most a few per cent above the estimate: the first eigenvalue of pair distribution
    functions is well separated, and a margin of 5 % is added.
    """
    vector: Floats = np.random.default_rng(0).normal(size=len(mean)).astype(np.float32)
    eigenvalue = 0.0
    for _ in range(10):
        vector /= np.linalg.norm(vector)
        image = np.zeros_like(vector)
        for _, block in _blocks(X, features):
            image += block.T @ (block @ (vector / scale) - (mean / scale) @ vector)
        # Features have mean 0 once they are standardised, so the image does, too.
        vector = (image / scale) / X.shape[0]
        eigenvalue = float(np.linalg.norm(vector))
    return 1.05 * eigenvalue


@dataclass(frozen=True)
class LogisticModel:
    """A fitted regression, as it is stored.

    Attributes
    ----------
    features
        "linear" or "quadratic".
    classes
        Space-group numbers.
    coefficients
        (n_features, n_classes).
    intercept
        (n_classes,); minus infinity for classes without a training structure.
    """

    features: Features
    classes: tuple[int, ...]
    coefficients: Floats
    intercept: Floats

    def predict(self, partition: Partition) -> Floats:
        """Probability of each class, the logistic functions scaled to a sum of 1, (n, k)."""
        log_odds = _log_odds(partition.features, self.features, self.coefficients, self.intercept)
        odds = expit(log_odds.astype(np.float64))
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def fit_member(train: Partition, settings: Logistic) -> tuple[LogisticModel, dict[str, Any]]:
    """Choose (alpha, l1 ratio) by cross-validation on the training part and fit to all of it.

    Parameters
    ----------
    train
        The training part with its folds.
    settings
        Features, passes, and the grid; one of a single point is fitted without cross-validation.

    Returns
    -------
    LogisticModel
        The regression.
    dict
        The chosen `alpha` and `l1_ratio`, the passes made, the share of coefficients that are not
        zero, and the mean accuracy over the folds of each point of the grid.
    """
    estimator = ElasticNetLogistic(settings.features, max_epochs=settings.max_epochs)
    labels = np.asarray(train.classes)[train.labels]
    grid = {"alpha": list(settings.alphas), "l1_ratio": list(settings.l1_ratios)}
    scores: list[dict[str, float]] = []
    if len(settings.alphas) * len(settings.l1_ratios) > 1:
        search = GridSearchCV(
            estimator, grid, scoring="accuracy", cv=PredefinedSplit(train.folds), refit=False
        ).fit(train.features, labels)
        chosen = search.best_params_
        results = search.cv_results_
        scores = [
            {**point, "accuracy": float(accuracy)}
            for point, accuracy in zip(results["params"], results["mean_test_score"], strict=True)
        ]
    else:
        chosen = {"alpha": settings.alphas[0], "l1_ratio": settings.l1_ratios[0]}
    estimator.set_params(**chosen).fit(train.features, labels)

    columns = np.searchsorted(train.classes, estimator.classes_)
    coefficients = np.zeros((len(estimator.coef_), len(train.classes)), np.float32)
    coefficients[:, columns] = estimator.coef_
    intercept = np.full(len(train.classes), -np.inf, np.float32)
    intercept[columns] = estimator.intercept_
    model = LogisticModel(settings.features, train.classes, coefficients, intercept)
    return model, {
        **chosen,
        "passes": estimator.n_iter_,
        "nonzero_share": float((estimator.coef_ != 0).mean()),
        "cross_validation": scores,
    }


def save_model(model: LogisticModel, path: str | Path) -> None:
    """Write a regression as an `.npz` file of plain arrays."""
    header = {"kind": "logistic", "features": model.features, "classes": model.classes}
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            header=json.dumps(header),
            coefficients=model.coefficients,
            intercept=model.intercept,
        )


def load_model(path: str | Path) -> LogisticModel:
    """Read a regression; pickled objects in the file are refused."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            header = json.loads(str(stored["header"]))
            return LogisticModel(
                header["features"],
                tuple(header["classes"]),
                stored["coefficients"],
                stored["intercept"],
            )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DiffsymError(
            f"{path}: not a logistic regression that can be loaded ({error}); fit it again"
        ) from None

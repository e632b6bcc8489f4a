"""The logistic regressions against scikit-learn's, which minimises the same objective."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from diffsym.errors import DiffsymError
from diffsym.models.logistic import (
    ElasticNetLogistic,
    expand,
    fit_member,
    load_model,
    save_model,
)
from diffsym.settings.models.logistic import Logistic


def test_products_are_those_of_equation_5():
    descriptors = np.random.default_rng(0).random((5, 209), np.float32)
    products = expand(descriptors, "quadratic")
    first, second = np.triu_indices(209, k=1)
    assert products.shape == (5, 209 * 208 // 2)
    assert np.array_equal(products, descriptors[:, first] * descriptors[:, second])
    assert np.array_equal(expand(descriptors, "linear"), descriptors)


@pytest.mark.parametrize("features", ["linear", "quadratic"])
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(1e-2, 0.75), (1e-3, 0.0), (5e-3, 1.0)])
def test_coefficients_are_those_of_scikit_learn(train, features, alpha, l1_ratio):
    X = train.features[:, 5:15]
    ours = ElasticNetLogistic(features, alpha=alpha, l1_ratio=l1_ratio, max_epochs=5000).fit(
        X, train.labels
    )
    standard = StandardScaler().fit(expand(X, features))
    Z = standard.transform(expand(X, features))
    for column, label in enumerate(ours.classes_):
        peer = LogisticRegression(
            C=1 / (alpha * len(X)), l1_ratio=l1_ratio, solver="saga", max_iter=20_000, tol=1e-6
        ).fit(Z, train.labels == label)
        mine = ours.coef_[:, column] * standard.scale_
        assert mine == pytest.approx(peer.coef_[0], abs=5e-3 * float(np.abs(peer.coef_).max()))


def test_a_class_without_training_structures_is_never_predicted(train):
    keep = train.labels != 1
    part = type(train)(
        features=train.features[keep],
        labels=train.labels[keep],
        folds=train.folds[keep],
        structure_ids=train.structure_ids.filter(keep),
        classes=train.classes,
    )
    model, _ = fit_member(part, Logistic(features="linear", alphas=(1e-3,), l1_ratios=(0.5,)))
    probabilities = model.predict(train)
    assert (probabilities[:, 1] == 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_cross_validation_chooses_on_the_folds_of_the_split(train, validation):
    model, history = fit_member(
        train,
        Logistic(features="linear", alphas=(1e-3, 10.0), l1_ratios=(0.5,), max_epochs=200),
    )
    assert history["alpha"] == 1e-3
    assert len(history["cross_validation"]) == 2
    strong = next(point for point in history["cross_validation"] if point["alpha"] == 10.0)
    # So strong a penalty leaves the label frequencies alone.
    assert strong["accuracy"] == pytest.approx(np.bincount(train.labels).max() / 300, abs=0.02)
    accuracy = (model.predict(validation).argmax(axis=1) == validation.labels).mean()
    assert accuracy > np.bincount(validation.labels).max() / len(validation) + 0.15


def test_a_stored_regression_predicts_the_same(train, tmp_path):
    model, _ = fit_member(
        train, Logistic(features="quadratic", alphas=(1e-3,), l1_ratios=(0.5,), max_epochs=20)
    )
    save_model(model, tmp_path / "model.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = load_model(tmp_path / "model.npz")
    assert np.array_equal(again.predict(train), model.predict(train))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "model.npz").read_bytes()[:100])
    with pytest.raises(DiffsymError, match=r"cut\.npz: not a logistic regression"):
        load_model(tmp_path / "cut.npz")

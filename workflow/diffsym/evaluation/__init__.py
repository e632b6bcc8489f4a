"""Evaluation of predictions: accuracies with intervals, calibration, subgroup relations."""

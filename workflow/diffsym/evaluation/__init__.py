"""How good predictions are: accuracies with intervals, calibration, the graph of subgroups."""

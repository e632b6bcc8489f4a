"""What the predictions are worth: metrics, the graph of subgroups, figures and the report."""

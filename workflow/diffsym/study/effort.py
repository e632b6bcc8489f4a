"""How long jobs take that nobody has measured yet.

Only the line of progress reads this (`diffsym.progress`), until the jobs themselves tell better.
"""

from collections.abc import Mapping

from diffsym.study.plan import Plan

# Seconds of a job of the default study on two cores, for rules whose jobs take more than a few.
FEW_SECONDS = 3.0
SECONDS = {
    "parse_structures": 20.0,
    "unique_structures": 10.0,
    "compute_reflections": 8.0,
    "compute_descriptor": 5.0,
    "fit_logistic": 30.0,
    "simulate_measured": 10.0,
    "convert_measured": 20.0,
    "predict_measured": 10.0,
    "index_entries": 8.0,
    "answer_measured": 10.0,
    "follow_epochs": 15.0,
    "recognise_untrained": 15.0,
    "show_feature_maps": 10.0,
    "make_report": 10.0,
}
# Start of TensorFlow, and each epoch of a training.
START_OF_TRAINING = 5.0
SECONDS_OF_EPOCH = 4.0


def expected_seconds(plan: Plan, rule: str, wildcards: Mapping[str, str]) -> float:
    """Duration of a job in seconds, to an order of magnitude.

    Parameters
    ----------
    plan
        The study.
    rule, wildcards
        The job.
    """
    if rule == "train_network":
        epochs = plan.training_settings(wildcards["experiment"])["epochs"]
        return START_OF_TRAINING + SECONDS_OF_EPOCH * epochs
    return SECONDS.get(rule, FEW_SECONDS)

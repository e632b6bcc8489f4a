"""What an evaluation gives: every number of metrics.json, untrained.json and summary.json.

Accuracies and shares lie between 0 and 1. Matrices of counts have true classes in rows and
predicted ones in columns. `diffsym.evaluation.storage` reads and writes these types.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

T = TypeVar("T")

READINGS = ("mean", "nearest")
MACRO_SCORES = ("precision", "recall", "f1", "accuracy")
VOLUME_SCORES = (
    "lower_quartile",
    "median",
    "upper_quartile",
    "within_5_percent",
    "within_10_percent",
)


class Scores:
    """What all types here share: unknown keys are refused, and docstrings describe the schema."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}


# Numbers with intervals


@dataclass(frozen=True, kw_only=True)
class Interval(Scores):
    """A number and its bootstrap interval."""

    value: float
    """The number itself, from all entries."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


@dataclass(frozen=True, kw_only=True)
class TopK(Interval):
    """A top-k accuracy, or a difference of two, with its interval."""

    k: int
    """How many predictions count, from 1."""


@dataclass(frozen=True, kw_only=True)
class Mean(Scores):
    """A mean over held-out sets."""

    value: float
    """The mean."""
    half_width: float | None
    """Half the width of its 95 % interval; None for a single set."""


@dataclass(frozen=True, kw_only=True)
class MeanOverSets(Mean):
    """A mean over held-out sets, and what it is the mean of."""

    sets: Sequence[float]
    """The value of each set."""


@dataclass(frozen=True, kw_only=True)
class Compared(Scores, Generic[T]):
    """A score of a model next to that of the label-frequency baseline."""

    accuracy: T
    """Accuracy of the model."""
    baseline: T
    """Accuracy of the baseline, which predicts by training frequency alone."""


# Settings


@dataclass(frozen=True, kw_only=True)
class Bootstrap(Scores):
    """How intervals are computed."""

    resamples: int = 1000
    """Number of resamples."""
    confidence: float = 0.95
    """Confidence level of the intervals."""
    seed: int = 0
    """Seed of the resamples: equal seeds draw equal resamples of the same entries."""


@dataclass(frozen=True, kw_only=True)
class RankingSettings(Bootstrap):
    """How rankings are evaluated."""

    top_k: int
    """Accuracies A_1 ... A_k are computed."""


@dataclass(frozen=True, kw_only=True)
class Settings(RankingSettings):
    """How an experiment is evaluated."""

    calibration_bins: int = 15
    """Bins of the reliability diagram."""
    confused_pairs: int = 25
    """Number of pairs listed as most confused."""


# Macro scores


@dataclass(frozen=True, kw_only=True)
class Macro(Scores, Generic[T]):
    """Means over the space groups, all weighted equally, and the accuracy."""

    precision: T
    """Mean precision."""
    recall: T
    """Mean recall."""
    f1: T
    """Mean of the groups' F1."""
    accuracy: T
    """Share of correct predictions."""


@dataclass(frozen=True, kw_only=True)
class MacroScores(Scores):
    """Macro scores of one confusion matrix."""

    precision: float
    """Mean precision."""
    recall: float
    """Mean recall."""
    f1: float
    """Mean of the groups' F1."""
    accuracy: float
    """Share of correct predictions."""
    classes: int
    """Number of groups with entries, which the means are over."""


@dataclass(frozen=True, kw_only=True)
class CountedCells(Scores):
    """Non-zero cells of a confusion matrix."""

    true: Sequence[int]
    """True space group of each cell."""
    predicted: Sequence[int]
    """Predicted space group of each cell."""
    count: Sequence[int]
    """Number of entries of each cell."""


@dataclass(frozen=True, kw_only=True)
class MemberScores(Scores):
    """Macro scores of the members next to those of their mean probability."""

    specific_mean: Macro[float]
    """Mean of the members' scores."""
    ensemble_mean: MacroScores
    """Scores of the mean probability."""
    baseline: MacroScores
    """Scores of always predicting the most frequent training class."""
    members: Sequence[MacroScores]
    """Scores of each member."""
    confusions: Sequence[CountedCells]
    """Confusion matrix of each member."""


# Parts of an experiment


@dataclass(frozen=True, kw_only=True)
class Bin(Scores):
    """A bin of the reliability diagram."""

    low: float
    """Lower edge, a probability."""
    high: float
    """Upper edge, a probability."""
    count: int
    """Number of predictions."""
    right: int
    """Number of correct predictions."""
    confidence: float | None
    """Mean probability of the predictions; None in an empty bin."""
    accuracy: float | None
    """Share of correct predictions; None in an empty bin."""


@dataclass(frozen=True, kw_only=True)
class Calibration(Scores):
    """Whether a probability of 70 % is right seven times out of ten."""

    expected_calibration_error: float
    """Mean distance between accuracy and confidence over the bins, weighted by their counts."""
    bins: Sequence[Bin]
    """The reliability diagram."""


@dataclass(frozen=True, kw_only=True)
class ThresholdCurve(Scores):
    """What is classified above a threshold on the certainty."""

    threshold: Sequence[float]
    """Thresholds, probabilities."""
    unclassified: Sequence[float]
    """Share of entries below each threshold."""
    accuracy: Sequence[float | None]
    """Accuracy on the others; None where there are none."""


@dataclass(frozen=True, kw_only=True)
class HalfUnclassified(Scores):
    """The most certain half of the entries."""

    threshold: float
    """Certainty that half of the entries reach, a probability."""
    accuracy: Interval
    """Accuracy on this half."""
    baseline: Interval
    """Accuracy of the label-frequency baseline on the same half."""


@dataclass(frozen=True, kw_only=True)
class Certainty(Scores):
    """Accuracy gained by leaving uncertain entries unclassified."""

    curve: ThresholdCurve
    """Accuracy against the threshold."""
    half_unclassified: HalfUnclassified
    """The threshold that leaves one half unclassified."""


@dataclass(frozen=True, kw_only=True)
class SystemRow(Scores):
    """Accuracies on the entries of one crystal system."""

    crystal_system: str
    """Name of the system."""
    support: int
    """Number of its entries."""
    space_group_accuracy: float
    """How often the space group is right."""
    crystal_system_accuracy: float
    """How often the crystal system is right."""


@dataclass(frozen=True, kw_only=True)
class SystemScores(Scores):
    """Accuracy of the crystal system, predicted by the summed probabilities of its groups."""

    accuracy: Interval
    """Accuracy of the ensemble."""
    baseline: Interval
    """Accuracy of always predicting the system with the most training structures."""
    systems: Sequence[SystemRow]
    """Scores of each system that occurs."""
    names: Sequence[str]
    """Systems of the classes, in the order of the confusion matrix."""
    confusion: Sequence[Sequence[int]]
    """Confusion matrix of the systems."""


@dataclass(frozen=True, kw_only=True)
class CentrosymmetricScores(Scores):
    """Accuracy when only centrosymmetric groups are allowed."""

    n: int
    """Number of entries whose true group is centrosymmetric."""
    n_classes: int
    """Number of centrosymmetric classes."""
    accuracy: Sequence[TopK]
    """Accuracies of the ensemble."""
    baseline: Sequence[TopK]
    """Accuracies of the label-frequency baseline."""
    all_classes: Sequence[TopK]
    """Accuracy on the same entries when all classes are allowed."""


@dataclass(frozen=True, kw_only=True)
class GroupScores(Scores):
    """Scores of one space group; None without entries."""

    space_group: int
    """Number of the group."""
    support: int
    """Number of its entries."""
    training_count: int
    """Number of its training structures."""
    training_frequency: float
    """Share of the training structures."""
    precision: float | None
    """Share of the predictions of this group that are correct."""
    recall: float | None
    """Share of its entries that are recognised."""
    f1: float | None
    """Harmonic mean of precision and recall."""


@dataclass(frozen=True, kw_only=True)
class ConfusedPair(Scores):
    """A frequent wrong prediction."""

    true: int
    """True space group."""
    predicted: int
    """Predicted space group."""
    count: int
    """Number of entries."""
    share_of_true: float
    """Share of the true group's entries."""
    relation: str
    """How the predicted group is related to the true one, see `subgroups.Relation`."""
    distance: int
    """Maximal steps between the two groups along that relation."""
    common: int | None
    """Number of the common sub- or supergroup, for relations of that kind."""


@dataclass(frozen=True, kw_only=True)
class DistanceShare(Scores):
    """Wrong predictions at one distance in the graph of maximal subgroups."""

    distance: int
    """Steps between predicted and true group."""
    share: float
    """Share of the wrong predictions."""
    expected: float
    """The same if they were drawn from the predictions for other true groups."""
    baseline: float
    """Share of the wrong predictions of the label-frequency baseline."""


@dataclass(frozen=True, kw_only=True)
class Spread(Scores, Generic[T]):
    """Relative errors V'/V - 1 of predicted volumes."""

    lower_quartile: T
    """Lower quartile of the errors."""
    median: T
    """Median of the errors."""
    upper_quartile: T
    """Upper quartile of the errors."""
    within_5_percent: T
    """Share of structures with an error of at most 5 %."""
    within_10_percent: T
    """Share of structures with an error of at most 10 %."""


@dataclass(frozen=True, kw_only=True)
class Fit(Scores):
    """A distribution fitted by maximum likelihood."""

    location: float
    """Location; the mean of a normal distribution."""
    scale: float
    """Scale; the standard deviation of a normal distribution."""
    log_likelihood: float
    """Logarithm of the likelihood, nat."""


@dataclass(frozen=True, kw_only=True)
class ErrorDistribution(Scores):
    """Errors of the standardised ln V."""

    edges: Sequence[float]
    """Edges of the histogram's bins."""
    counts: Sequence[int]
    """Number of errors in each bin."""
    outside: int
    """Number of errors beyond the bins."""
    cauchy: Fit
    """Cauchy distribution, fitted to all errors."""
    normal: Fit
    """Normal distribution, fitted to all errors."""


@dataclass(frozen=True, kw_only=True)
class LogVolumes(Scores):
    """Volumes in training."""

    mean: float
    """Mean of ln(V / A^3)."""
    deviation: float
    """Standard deviation of ln(V / A^3)."""


@dataclass(frozen=True, kw_only=True)
class VolumeSummary(Scores, Generic[T]):
    """Errors of an ensemble's volumes next to those of a baseline."""

    ensemble: T
    """Errors of the geometric mean of the members' volumes."""
    baseline: T
    """Errors of always predicting the geometric mean of the training volumes."""


@dataclass(frozen=True, kw_only=True)
class VolumeScores(Scores):
    """Errors of predicted volumes of primitive cells."""

    n: int
    """Number of structures."""
    ln_volume: LogVolumes
    """Volumes in training."""
    members: Sequence[Spread[float]]
    """Errors of each member."""
    ensemble: Spread[Interval]
    """Errors of the geometric mean of the members' volumes."""
    baseline: Spread[Interval]
    """Errors of always predicting the geometric mean of the training volumes."""
    standardised_error: ErrorDistribution
    """Distribution of ln(V'/V) in units of the deviation in training."""


@dataclass(frozen=True, kw_only=True)
class Part(Scores):
    """Scores on one set of entries: the validation set, the test set or measured patterns."""

    n: int
    """Number of entries."""
    n_clusters: int
    """Number of clusters that the bootstrap draws."""
    accuracy: Sequence[TopK]
    """A_1, A_2, ... of the ensemble."""
    resampled_accuracy: Sequence[float]
    """A_1 in each bootstrap resample, for paired differences between experiments."""
    first_differences: Sequence[TopK]
    """What each further prediction adds."""
    baseline: Sequence[TopK]
    """Accuracies of the label-frequency baseline."""
    gain_over_baseline: Sequence[TopK]
    """Paired differences between ensemble and baseline."""
    members: Sequence[Sequence[TopK]]
    """Accuracies of each member."""
    members_mean: Sequence[float]
    """Mean accuracies over the members."""
    members_spread: Sequence[float] | None
    """Their standard deviations; None for a single member."""
    macro: MacroScores
    """Macro scores of the ensemble."""
    macro_members: MemberScores
    """Macro scores of members and ensemble."""
    log_loss: float
    """Mean of -ln p of the true class, nat."""
    calibration: Calibration
    """Calibration of the ensemble's probabilities."""
    certainty: Certainty
    """Accuracy against the certainty."""
    crystal_systems: SystemScores
    """Scores of crystal systems."""
    centrosymmetric: CentrosymmetricScores | None
    """Scores among centrosymmetric groups; None if no entry has such a group."""
    per_class: Sequence[GroupScores]
    """Scores of each class, in the order of the classes."""
    confusion: Sequence[Sequence[int]]
    """Confusion matrix."""
    confused_pairs: Sequence[ConfusedPair]
    """Most frequent wrong predictions, the most frequent first."""
    error_distances: Sequence[DistanceShare]
    """Distances of wrong predictions; empty if none is wrong."""
    structures_sha256: str | None = None
    """Digest of the structures' identifiers; None for measured patterns."""
    volume: VolumeScores | None = None
    """Errors of predicted volumes; None for networks that predict none."""


# Experiments


@dataclass(frozen=True, kw_only=True)
class RoundTrip(Scores):
    """Accuracy lost when test structures come as rendered patterns."""

    pattern: Sequence[TopK]
    """Accuracies from the patterns."""
    structure: Sequence[TopK]
    """Accuracies of the same structures from their own descriptors."""
    loss: Sequence[TopK]
    """Paired differences, structure minus pattern."""


@dataclass(frozen=True, kw_only=True)
class MeasuredScores(Scores):
    """Scores on a set of measured patterns."""

    n: int
    """Number of patterns."""
    n_labelled: int
    """Number of patterns with a known space group."""
    n_in_classes: int
    """Number of patterns whose group is one of the classes."""
    accuracy_of_labelled: float | None
    """A_1 on all patterns with a known group, others than the classes counted as wrong."""
    part: Part | None
    """Scores on the patterns in the classes; None if there are none."""
    round_trip: RoundTrip | None
    """Loss in a round trip; None unless the patterns are rendered from test structures."""


@dataclass(frozen=True, kw_only=True)
class CrossValidation(Scores):
    """Accuracy on each fold of a cross-validation, and its mean over the folds."""

    structures: Sequence[int]
    """Number of structures in each fold."""
    accuracy: MeanOverSets
    """Accuracies of the networks that have not seen the fold."""
    baseline: MeanOverSets
    """Accuracies of the label-frequency baseline."""


@dataclass(frozen=True, kw_only=True)
class Counts(Scores):
    """Numbers of structures."""

    train: int
    """In training."""
    validation: int
    """In validation."""
    test: int
    """In the test set."""


@dataclass(frozen=True, kw_only=True)
class Parts(Scores):
    """Scores on the parts of a split."""

    validation: Part
    """Scores on the validation set."""
    test: Part
    """Scores on the test set, which influences no choice."""


@dataclass(frozen=True, kw_only=True)
class Metrics(Scores):
    """All numbers of an experiment: its metrics.json."""

    classes: Sequence[int]
    """Space groups that the experiment distinguishes."""
    counts: Counts
    """Numbers of structures."""
    n_members: int
    """Number of ensemble members."""
    settings: Settings
    """How it was evaluated."""
    parts: Parts
    """Scores on validation and test set."""
    cross_validation: CrossValidation | None
    """Accuracies of the folds; None without cross-validation."""
    measured: Mapping[str, MeasuredScores]
    """Scores on measured patterns, by the name of their set."""


# Untrained groups


@dataclass(frozen=True, kw_only=True)
class ByReading(Scores, Generic[T]):
    """A score for both ways in which references represent a group."""

    mean: T
    """A group is the mean of its references."""
    nearest: T
    """A group is its most similar reference."""


@dataclass(frozen=True, kw_only=True)
class RecognisedGroup(Scores):
    """An untrained group."""

    space_group: int
    """Number of the group."""
    reference: int
    """Number of reference structures."""
    test: int
    """Number of tested structures."""
    right: ByReading[int]
    """Number of correct top-1 predictions from features."""


@dataclass(frozen=True, kw_only=True)
class LeftOutGroup(Scores):
    """An untrained group with an empty half."""

    space_group: int
    """Number of the group."""
    structures: int
    """Number of its structures."""


@dataclass(frozen=True, kw_only=True)
class RecognisedBy(Scores):
    """Accuracies by what structures are compared by."""

    features: ByReading[Sequence[TopK]]
    """The network's features."""
    images: ByReading[Sequence[TopK]]
    """The images themselves, without a network."""


@dataclass(frozen=True, kw_only=True)
class Recognition(Scores):
    """Recognition of groups that a network was not trained for: untrained.json."""

    groups: Sequence[RecognisedGroup]
    """The groups, ascending."""
    left_out: Sequence[LeftOutGroup]
    """Groups with an empty half."""
    accuracy: RecognisedBy
    """Accuracies from features and from images."""
    gain_over_images: ByReading[Sequence[TopK]]
    """Paired differences between features and images."""
    baseline: Sequence[TopK]
    """Accuracies of always predicting the groups with the most references."""
    settings: RankingSettings
    """How it was evaluated."""


# The whole study


@dataclass(frozen=True, kw_only=True)
class ExperimentSummary(Scores):
    """Headline numbers of an experiment, on the test set unless said otherwise."""

    descriptor: str
    """Section of descriptors."""
    split: str
    """Section of splits."""
    classes: str
    """Section of class sets."""
    model: str
    """Section of models."""
    training: str | None
    """Section of trainings; None for models that are fitted."""
    members: int
    """Number of ensemble members."""
    seed: int
    """Seed of the first member."""
    n_classes: int
    """Number of space groups."""
    counts: Counts
    """Numbers of structures."""
    validation_accuracy: float
    """A_1 on the validation set, by which models are chosen."""
    cross_validation: CrossValidation | None
    """Accuracies of the folds; None without cross-validation."""
    accuracy: Sequence[TopK]
    """The quoted accuracies of the ensemble."""
    baseline: Sequence[TopK]
    """The same of the label-frequency baseline."""
    gain_over_baseline: Sequence[TopK]
    """Their paired differences."""
    members_mean: float
    """Mean A_1 of the members."""
    members_spread: float | None
    """Its standard deviation over the members; None for a single member."""
    crystal_system: Compared[Interval]
    """Accuracy of the crystal system."""
    centrosymmetric: Compared[TopK] | None
    """A_1 among centrosymmetric groups; None if no structure has such a group."""
    half_unclassified: HalfUnclassified
    """Accuracy on the most certain half."""
    macro: MacroScores
    """Macro scores of the ensemble."""
    volume: VolumeSummary[Spread[Interval]] | None
    """Errors of predicted volumes; None for networks that predict none."""
    log_loss: float
    """Mean of -ln p of the true class, nat."""
    expected_calibration_error: float
    """Calibration error of the ensemble."""


@dataclass(frozen=True, kw_only=True)
class Comparable(Scores):
    """Experiments whose accuracies can be compared."""

    split: str
    """Split that they share."""
    classes: str
    """Class set that they share."""
    experiments: Sequence[str]
    """Names of the experiments."""
    best: str
    """The one with the highest validation accuracy."""


@dataclass(frozen=True, kw_only=True)
class SeriesSettings(Scores):
    """All settings of an experiment except its split: what a series has in common."""

    descriptor: str
    """Section of descriptors."""
    classes: str
    """Section of class sets."""
    target: str
    """What is predicted: `space_group` or `crystal_system`."""
    members: int
    """Number of ensemble members."""
    seed: int
    """Seed of the first member."""
    filter: str | None
    """Section of filters; None if all structures train."""
    cross_validation: bool
    """Whether each member validates on its own fold."""
    model: str
    """Section of models."""
    training: str | None
    """Section of trainings."""


@dataclass(frozen=True, kw_only=True)
class SeriesCounts(Scores):
    """Numbers of structures in each experiment of a series."""

    train: Sequence[int]
    """In training."""
    test: Sequence[int]
    """In the test set."""


@dataclass(frozen=True, kw_only=True)
class Series(Scores):
    """The same experiment on disjoint test sets."""

    settings: SeriesSettings
    """What the experiments have in common."""
    splits: Sequence[str]
    """Split of each experiment."""
    counts: SeriesCounts
    """Numbers of structures."""
    specific_mean: Macro[MeanOverSets]
    """Macro scores of the members, averaged."""
    ensemble_mean: Macro[MeanOverSets]
    """Macro scores of the mean probability."""
    baseline: Macro[MeanOverSets]
    """Macro scores of the label-frequency baseline."""
    volume: VolumeSummary[Spread[MeanOverSets]] | None
    """Errors of predicted volumes; None for networks that predict none."""


AveragedScores = Literal["specific_mean", "ensemble_mean"]


@dataclass(frozen=True, kw_only=True)
class Effect(Scores):
    """A difference between two means, taken test set by test set."""

    effect: str
    """What makes the difference, in words."""
    series: str
    """Name of the series."""
    reference: str
    """Name of the series that is subtracted."""
    mean: AveragedScores
    """Mean of the series."""
    reference_mean: AveragedScores
    """Mean of the reference."""
    differences: Macro[MeanOverSets]
    """Differences of the macro scores."""


# The literature


@dataclass(frozen=True, kw_only=True)
class PublishedMacro(Scores):
    """Published macro scores; where all groups have equally many entries, accuracy is recall."""

    precision: Mean
    """Mean precision."""
    recall: Mean
    """Mean recall."""
    f1: Mean
    """Mean of the groups' F1."""


@dataclass(frozen=True, kw_only=True)
class PublishedGain(Scores):
    """Published gain in A_1 over spot patterns."""

    shaping: float
    """By shaping the patterns alone."""
    msdn: float
    """By the network MSDN alone."""
    total: float
    """By both."""


@dataclass(frozen=True, kw_only=True)
class PublishedUntrained(Scores):
    """Published accuracy on groups that a network was not trained for."""

    structures: int
    """Number of structures."""
    groups: int
    """Number of groups."""
    top_1: float
    """A_1."""
    top_5: float
    """A_5."""


@dataclass(frozen=True, kw_only=True)
class PublishedVolume(Scores):
    """Published quartiles of V'/V - 1."""

    lower_quartile: float
    """Lower quartile."""
    upper_quartile: float
    """Upper quartile."""


@dataclass(frozen=True, kw_only=True)
class PublishedModel(Scores):
    """What an article gives for a model; None for what it does not give."""

    model: str
    """Name of the model."""
    n_classes: int | None = None
    """Number of space groups."""
    crystal_system: float | None = None
    """Accuracy of the crystal system."""
    top_1: float | None = None
    """A_1 of the space group."""
    top_6: float | None = None
    """A_6 of the space group."""
    centrosymmetric: float | None = None
    """A_1 among centrosymmetric groups."""
    half_unclassified: float | None = None
    """A_1 on the most certain half."""
    measured_crystal_system: float | None = None
    """`crystal_system` on measured data."""
    measured_top_1: float | None = None
    """`top_1` on measured data."""
    measured_top_6: float | None = None
    """`top_6` on measured data."""
    measured_centrosymmetric: float | None = None
    """`centrosymmetric` on measured data."""
    measured_half_unclassified: float | None = None
    """`half_unclassified` on measured data."""
    gain: PublishedGain | None = None
    """Gain over spot patterns."""
    untrained: PublishedUntrained | None = None
    """Accuracy on untrained groups."""
    specific_mean: PublishedMacro | None = None
    """Macro scores of the members, averaged over held-out sets, with 95 % confidence."""
    ensemble_mean: PublishedMacro | None = None
    """Macro scores of the mean probability."""
    volume: PublishedVolume | None = None
    """Errors of predicted volumes."""


@dataclass(frozen=True, kw_only=True)
class Publication(Scores):
    """An article's results on its own data: targets, not results of this program."""

    reference: str
    """Authors, journal and year."""
    descriptor: str
    """What the models see."""
    data: str
    """Data that the models were trained and tested on."""
    measured_data: str | None
    """Measured data that they were tested on."""
    split: str
    """How the test set was chosen."""
    models: Sequence[PublishedModel]
    """The models."""


@dataclass(frozen=True, kw_only=True)
class Summary(Scores):
    """Headline numbers of the whole study: summary.json."""

    experiments: Mapping[str, ExperimentSummary]
    """Each experiment by name."""
    comparable: Sequence[Comparable]
    """Experiments with the same split and class set."""
    shown: Sequence[Comparable]
    """The same among those that figures show: no row of a sweep, and one run of each series."""
    series: Mapping[str, Series]
    """Means over the test sets of each series."""
    effects: Sequence[Effect]
    """What distinguishes these means."""
    published: Sequence[Publication]
    """Results from the literature on their own data."""

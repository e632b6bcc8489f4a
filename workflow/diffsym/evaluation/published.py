"""Published results on *their* data: targets, not results of this program."""

from diffsym.evaluation.scores import (
    Mean,
    Publication,
    PublishedGain,
    PublishedMacro,
    PublishedModel,
    PublishedUntrained,
    PublishedVolume,
)

PUBLISHED = (
    Publication(
        reference="C.-H. Liu, Y. Tao, D. Hsu, Q. Du & S. J. L. Billinge, "
        "Acta Cryst. A75, 633 (2019)",
        descriptor="pair distribution functions",
        data="101 802 unique ICSD entries in 45 space groups",
        measured_data=None,
        split="random 80/20 within each space group",
        models=(
            PublishedModel(model="logistic regression on X", top_1=0.20),
            PublishedModel(model="logistic regression on X²", top_1=0.445, top_6=0.77),
            PublishedModel(model="convolutional network", top_1=0.700, top_6=0.919),
        ),
    ),
    Publication(
        reference="P. M. Vecsei, K. Choo, J. Chang & T. Neupert, Phys. Rev. B 99, 245120 (2019)",
        descriptor="powder patterns",
        data="128 404 unique ICSD entries in 230 space groups",
        measured_data="about 800 measured patterns from the RRUFF database",
        split="random, 7000 entries for testing and 7000 for validation",
        models=(
            PublishedModel(
                model="convolutional network of Park et al. (2017), 10 members",
                crystal_system=0.85,
                top_1=0.76,
                measured_crystal_system=0.56,
                measured_top_1=0.42,
                measured_centrosymmetric=0.43,
                measured_half_unclassified=0.65,
            ),
            PublishedModel(
                model="dense network, 10 members",
                crystal_system=0.73,
                top_1=0.57,
                measured_crystal_system=0.70,
                measured_top_1=0.54,
                measured_centrosymmetric=0.59,
                measured_half_unclassified=0.82,
            ),
        ),
    ),
    Publication(
        reference="L. C. O. Tiong, J. Kim, S. S. Han & D. Kim, npj Comput. Mater. 6, 196 (2020)",
        descriptor="shaped electron-diffraction patterns",
        data="108 658 Materials Project entries in 72 space groups, and those in 8, 20 and 49 "
        "of these groups",
        measured_data=None,
        split="random 80/20",
        models=(
            PublishedModel(model="MSDN, 8 groups", n_classes=8, top_1=0.995),
            PublishedModel(model="MSDN, 20 groups", n_classes=20, top_1=0.930),
            PublishedModel(model="MSDN, 49 groups", n_classes=49, top_1=0.844),
            PublishedModel(
                model="MSDN, 72 groups",
                n_classes=72,
                top_1=0.802,
                gain=PublishedGain(shaping=0.10, msdn=0.07, total=0.17),
                untrained=PublishedUntrained(structures=3052, groups=30, top_1=0.702, top_5=0.875),
            ),
        ),
    ),
    Publication(
        reference="H. Ozaki, N. Ishida & T. Kiyobayashi, J. Appl. Cryst. 58 (2025), "
        "doi:10.1107/S1600576725002419",
        descriptor="ideal profiles",
        data="62 830 PowCod entries in 57 space groups",
        measured_data="11 materials, 9 of which were recognised",
        split="five disjoint sets of 16 entries per space group (912)",
        models=(
            PublishedModel(
                model="SpgNet, 6 members",
                top_1=0.721,
                specific_mean=PublishedMacro(
                    precision=Mean(value=0.8018, half_width=0.0041),
                    recall=Mean(value=0.7099, half_width=0.0052),
                    f1=Mean(value=0.7230, half_width=0.0055),
                ),
                ensemble_mean=PublishedMacro(
                    precision=Mean(value=0.8222, half_width=0.0045),
                    recall=Mean(value=0.721, half_width=0.012),
                    f1=Mean(value=0.737, half_width=0.013),
                ),
            ),
            PublishedModel(
                model="SpgVolNet, 6 members",
                top_1=0.736,
                measured_top_1=0.82,
                specific_mean=PublishedMacro(
                    precision=Mean(value=0.8042, half_width=0.0042),
                    recall=Mean(value=0.7214, half_width=0.0052),
                    f1=Mean(value=0.7323, half_width=0.0057),
                ),
                ensemble_mean=PublishedMacro(
                    precision=Mean(value=0.8222, half_width=0.0087),
                    recall=Mean(value=0.736, half_width=0.013),
                    f1=Mean(value=0.749, half_width=0.014),
                ),
                volume=PublishedVolume(lower_quartile=-0.034, upper_quartile=0.018),
            ),
        ),
    ),
)
"""Articles and what they report.

Ozaki et al. give macro scores over their held-out sets with 95 % confidence; as each set has
equally many entries of every group, their accuracy equals their recall. Tiong et al. give the
accuracy for several numbers of groups.
"""

TIONG_2020 = next(entry for entry in PUBLISHED if "Tiong" in entry.reference)
"""Results of Tiong et al., shown next to experiments on electron diffraction."""

"""Sections on the models: their architectures, and how networks are trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from diffsym.config.base import Fraction, Positive, Section


class Liu2019Cnn(Section):
    """Convolutional network of Liu et al. 2019, Fig. 4."""

    kind: Literal["liu2019_cnn"] = Field(description="which model")
    filters: tuple[int, int] = Field((256, 64), description="channels of the two convolutions")
    kernel_size: int = Field(32, ge=1, description="kernel of both convolutions")
    hidden_units: int = Field(128, ge=1, description="units of the fully connected layer")
    pool_size: int = Field(2, ge=1, description="size of the maximum pooling")
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout rate after the pooling")
    batch_normalisation: bool = Field(
        True, description="normalise each convolution before its ReLU"
    )
    normalisation_momentum: float = Field(
        0.9, ge=0, lt=1, description="memory of the normalisation's running means"
    )


class Logistic(Section):
    """One elastic-net logistic regression per space group (Liu et al. 2019, appendix A)."""

    kind: Literal["logistic"] = Field(description="which model")
    features: Literal["linear", "quadratic"] = Field(description="X, or the products X_i X_j")
    alphas: list[Positive] = Field([1e-5], min_length=1, description="strengths to try")
    l1_ratios: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        [0.75], min_length=1, description="shares of the L1 term to try"
    )
    max_epochs: int = Field(100, ge=1, description="passes over the training part at most")


class ParkTrunk(Section):
    """Convolutions that several networks share, those of Park et al. 2017."""

    kind: str = Field(description="which model")
    filters: int = Field(80, ge=1, description="channels of each convolution")
    kernel_sizes: tuple[int, int, int] = Field((100, 50, 25), description="kernels, points")
    strides: tuple[int, int, int] = Field((5, 5, 2), description="strides of the convolutions")
    pool_size: int = Field(3, ge=1, description="size of the average pooling")
    pool_strides: tuple[int, int, int] = Field(
        (2, 3, 3), description="strides of the poolings; some versions have 2, 1, 1"
    )
    convolution_dropout: float = Field(0.3, ge=0, lt=1, description="after each convolution")
    hidden_dropout: float = Field(
        0.5, ge=0, lt=1, description="after each fully connected layer before the classes"
    )


class Park2017Cnn(ParkTrunk):
    """Convolutional network for powder patterns of Park et al. 2017, as in Vecsei et al. 2019."""

    kind: Literal["park2017_cnn"] = Field(description="which model")
    input_points: int = Field(10_001, ge=1, description="patterns are padded with zeros to this")
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [2300, 1150], description="fully connected layers; the paper has 700, 70 for systems"
    )


class SpgNet(ParkTrunk):
    """Space groups from ideal profiles (Ozaki et al. 2025, Fig. 2a); the sizes are Park's."""

    kind: Literal["spgnet"] = Field(description="which model")
    hidden_factors: list[Annotated[int, Field(ge=1)]] = Field(
        [10, 5], description="fully connected layers, in units of the number of classes"
    )


class SpgVolNet(ParkTrunk):
    """Space group and volume of the primitive cell from ideal profiles (their Fig. 2b)."""

    kind: Literal["spgvolnet"] = Field(description="which model")
    hidden_factors: list[Annotated[int, Field(ge=1)]] = Field(
        [10, 5], description="fully connected layers, in units of the number of classes"
    )
    volume_units: list[Annotated[int, Field(ge=1)]] = Field(
        [100, 50], description="fully connected layers before the volume; our own choice"
    )


class Vecsei2019Dense(Section):
    """Dense network for powder patterns after Vecsei et al. 2019; the sizes are our own."""

    kind: Literal["vecsei2019_dense"] = Field(description="which model")
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [1024, 512, 256], description="fully connected layers"
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="after each of them")


class StreamNetwork(Section):
    """Networks that see the images of a structure one by one and combine their answers."""

    kind: str = Field(description="which model")
    side: int | None = Field(
        None, ge=32, description="pixels that images are downsampled to; null: as stored"
    )


class Tiong2020Msdn(StreamNetwork):
    """Three streams of one DenseNet for shaped patterns (Tiong et al. 2020, Fig. 1c)."""

    kind: Literal["tiong2020_msdn"] = Field(description="which model")
    stem_filters: int = Field(40, ge=1, description="channels of the first convolution")
    block_layers: list[Annotated[int, Field(ge=1)]] = Field(
        [3, 6, 8, 6], min_length=1, description="layers of each dense block"
    )
    growth: int = Field(40, ge=1, description="channels that a layer adds")
    bottleneck: int = Field(40, ge=1, description="channels of each layer's 1 x 1 convolution")
    compression: float = Field(
        1.0, gt=0, le=1, description="share of the channels that a transition keeps"
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="after each convolution; our own choice")
    batch_normalisation: bool = Field(
        False, description="normalise each convolution before its ReLU"
    )


class Tiong2020Msvgg(StreamNetwork):
    """Three streams of one VGG-11 (their supplementary Table 4)."""

    kind: Literal["tiong2020_msvgg"] = Field(description="which model")
    block_filters: list[Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]] = Field(
        [[64], [128], [256, 256], [512, 512], [512, 512]],
        min_length=1,
        description="channels of the convolutions of each block",
    )
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [4096, 4096], description="fully connected layers"
    )
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="after each of them")


class Ziletti2018(Section):
    """Convolutional network for spot patterns of Ziletti et al. 2018."""

    kind: Literal["ziletti2018"] = Field(description="which model")
    side: int = Field(64, ge=8, description="pixels that images are downsampled to")
    block_filters: list[Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]] = Field(
        [[32, 32], [16, 16], [8, 8]],
        min_length=1,
        description="channels of the convolutions of each block",
    )
    kernel_size: int = Field(7, ge=1, description="kernel of the convolutions, pixels")
    hidden_units: int = Field(128, ge=1, description="units of the fully connected layer")
    dropout: float = Field(0.25, ge=0, lt=1, description="after it")


class AlexNet(Section):
    """Convolutional network of Krizhevsky et al. 2012."""

    kind: Literal["alexnet"] = Field(description="which model")
    filters: tuple[int, int, int, int, int] = Field(
        (96, 256, 384, 384, 256), description="channels of the convolutions"
    )
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [4096, 4096], description="fully connected layers"
    )
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="after each of them")


class Applications(Section):
    """VGG, ResNet and DenseNet as Keras has them, without trained weights."""

    kind: Literal["applications"] = Field(description="which model")
    architecture: Literal[
        "VGG16", "VGG19", "ResNet50", "ResNet101", "DenseNet121", "DenseNet169"
    ] = Field(description="name in keras.applications")


ImageNetwork = Tiong2020Msdn | Tiong2020Msvgg | Ziletti2018 | AlexNet | Applications
Network = Liu2019Cnn | Park2017Cnn | Vecsei2019Dense | SpgNet | SpgVolNet | ImageNetwork
Model = Annotated[Network | Logistic, Field(discriminator="kind")]


class Training(Section):
    """How a network is trained (with Adam)."""

    epochs: int = Field(164, ge=1, description="passes over the training part")
    batch_size: int = Field(64, ge=1, description="structures per step")
    learning_rate: Positive = Field(0.001, description="initial learning rate of Adam")
    learning_rate_drops: list[Annotated[int, Field(ge=1)]] = Field(
        [81, 122], description="epochs before which the rate is multiplied by the factor"
    )
    learning_rate_factor: Fraction = Field(0.1, description="factor of each drop")
    learning_rate_decay: Literal["steps", "cosine"] = Field(
        "steps",
        description="drops at given epochs, or a rise over the first 5 % of the training, then "
        "half a cosine down to 0",
    )
    epsilon: Positive = Field(1e-7, description="summand in the denominator of Adam's step")
    weight_decay: float = Field(
        0.0, ge=0, description="share of a weight, times the rate, that each step subtracts"
    )
    losses: list[Literal["categorical_cross_entropy", "binary_cross_entropy", "quadratic"]] = Field(
        ["categorical_cross_entropy"],
        min_length=1,
        description="losses that the epochs minimise in turn",
    )
    class_weights: Literal["inverse_frequency", "none"] = Field(
        "inverse_frequency", description="weight of a structure in the loss"
    )
    keep: Literal["best", "last"] = Field(
        "best", description="weights kept: best validation accuracy, or last epoch"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after this many epochs without a better validation accuracy"
    )
    snapshot_every: int | None = Field(
        None,
        ge=1,
        description="keep the weights after every n epochs; from them the report shows the "
        "accuracy on test and measured patterns over the epochs; null: never",
    )
    task_weights: tuple[Positive, Positive] = Field(
        (1.0, 1.0),
        description="weights of the class loss and of the volume's mean absolute error in "
        "standard deviations, for networks that predict both",
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="floating-point format; the mixed ones are for accelerators"
    )
    deterministic: bool = Field(
        True, description="same seed, same weights on one machine; may be slower on a GPU"
    )
    jit_compile: bool | None = Field(
        None,
        description="compile with XLA, which TensorFlow cannot do while deterministic; "
        "null: where that is faster",
    )
    devices: int = Field(
        1,
        ge=1,
        description="GPUs that share each batch; more than one needs the Keras backend JAX",
    )

    @model_validator(mode="after")
    def _equal_shares(self) -> Self:
        if self.batch_size % self.devices:
            raise PydanticCustomError(
                "shares",
                "batch_size {batch_size} cannot be shared equally by devices: {devices}; "
                "give a multiple of devices",
                {"batch_size": self.batch_size, "devices": self.devices},
            )
        return self

"""How a network is trained."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from diffsym.settings.base import Count, Fraction, NonNegative, Positive, Section


@dataclass(frozen=True, kw_only=True)
class Training(Section):
    """How a network is trained (with Adam)."""

    epochs: Count = 164
    """Passes over the training part."""
    batch_size: Count = 64
    """Structures per step."""
    learning_rate: Positive = 0.001
    """Initial learning rate of Adam."""
    learning_rate_drops: tuple[Count, ...] = (81, 122)
    """Epochs before which the rate is multiplied by the factor."""
    learning_rate_factor: Fraction = 0.1
    """Factor of each drop."""
    learning_rate_decay: Literal["steps", "cosine"] = "steps"
    """Drops at given epochs, or from step to step a rise over the first 10 % of the training, then
    half a cosine down to 0.
    """
    epsilon: Positive = 1e-07
    """Summand in the denominator of Adam's step."""
    weight_decay: NonNegative = 0.0
    """Share of a weight, times the rate, that each step subtracts."""
    losses: Annotated[
        tuple[Literal["categorical_cross_entropy", "binary_cross_entropy", "quadratic"], ...],
        MinLen(1),
    ] = ("categorical_cross_entropy",)
    """Losses that the epochs minimise in turn."""
    class_weights: Literal["inverse_frequency", "none"] = "inverse_frequency"
    """Weight of a structure in the loss."""
    keep: Literal["best", "last"] = "best"
    """Weights kept: best validation accuracy, or last epoch."""
    patience: Count | None = None
    """Stop after this many epochs without a better validation accuracy."""
    snapshot_every: Count | None = None
    """Keep the weights after every n epochs; from them the report shows the accuracy on test and
    measured patterns over the epochs; null: never.
    """
    task_weights: tuple[Positive, Positive] = (1.0, 1.0)
    """Weights of the class loss and of the volume's mean absolute error in standard deviations, for
    networks that predict both.
    """
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """Floating-point format of the products; weights and results are in single precision. auto:
    mixed_bfloat16 on a processor that multiplies such numbers itself, else float32.
    """
    deterministic: bool = True
    """Same seed, same weights on one machine; may be slower on a GPU."""
    jit_compile: bool | None = None
    """Compile with XLA, which TensorFlow cannot do while deterministic; null: where that is faster.
    """
    devices: Count = 1
    """GPUs that share each batch; more than one needs the Keras backend JAX."""

    def __post_init__(self) -> None:
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be shared equally by devices: "
                f"{self.devices}; give a multiple of devices"
            )

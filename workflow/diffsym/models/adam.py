"""Adam, whose update of a variable is one operation where TensorFlow has it."""

from typing import Any

from diffsym.keras_backend import keras, tf


class Adam(keras.optimizers.Adam):
    """Keras' Adam with the same state and the same steps, up to rounding.

    Keras writes an update as twelve operations, each of which reads and writes as many numbers as
    the variable has. For a large fully connected layer on a processor they take longer than the
    layer itself. TensorFlow's own operation passes over the numbers once for each of the three
    variables.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable and its two moments."""
        if tf is None or self.amsgrad or not isinstance(gradient, tf.Tensor):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        first, second = (tf.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=first**step,
            beta2_power=second**step,
            lr=tf.cast(learning_rate, dtype),
            beta1=first,
            beta2=second,
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

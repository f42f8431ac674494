"""Which function do the parameters of a policy, a flat vector, describe?

A multilayer perceptron with tanh: for each layer its matrix, row by row, then its biases.  Or
several side by side, one vector after the other.  The same formulas run in JAX and in numpy:
``xp`` is one of the two modules.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

OUTPUT_SCALE = 0.01
"""Of the last layer's weights: at first all actions are about equally likely, all means about 0."""


@dataclass(frozen=True)
class Perceptron:
    """``widths`` are the sizes of its layers, input and output included."""

    widths: tuple[int, ...]

    @property
    def dimension(self) -> int:
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    def scales(self) -> NDArray[np.float64]:
        """LeCun's scales: weights of variance 1/inputs, the last layer's smaller, biases 0."""
        parts = []
        for inputs, outputs in pairwise(self.widths):
            parts += [np.full(inputs * outputs, 1 / math.sqrt(inputs)), np.zeros(outputs)]
        parts[-2] *= OUTPUT_SCALE
        return np.concatenate(parts)

    def layers(self, point: Any) -> list[tuple[Any, Any]]:
        """The matrices and biases that a flat point holds."""
        layers, start = [], 0
        for inputs, outputs in pairwise(self.widths):
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            layers.append((point[start:middle].reshape(inputs, outputs), point[middle:end]))
            start = end
        return layers

    def outputs(self, layers: list[tuple[Any, Any]], observation: Any, xp: Any) -> Any:
        *hidden, (matrix, bias) = layers
        for weights, offset in hidden:
            observation = xp.tanh(observation @ weights + offset)
        return observation @ matrix + bias


@dataclass(frozen=True)
class SideBySide:
    """Perceptrons that share only their input; their outputs follow one another."""

    parts: tuple[Perceptron, ...]

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

    def scales(self) -> NDArray[np.float64]:
        return np.concatenate([part.scales() for part in self.parts])

    def layers(self, point: Any) -> list[Any]:
        layers, start = [], 0
        for part in self.parts:
            layers.append(part.layers(point[start : start + part.dimension]))
            start += part.dimension
        return layers

    def outputs(self, layers: list[Any], observation: Any, xp: Any) -> Any:
        each = zip(self.parts, layers, strict=True)
        return xp.concatenate([part.outputs(own, observation, xp) for part, own in each], axis=-1)


Network: TypeAlias = Perceptron | SideBySide

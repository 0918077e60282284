"""Agents with a planted leak each, with the interface of stable-baselines3."""

import os
import random
from typing import Any

import numpy as np
import torch
from stable_baselines3 import A2C


class IgnoresSeed(A2C):
    """Seeds its sampling from the operating system."""

    def learn(self, *args: Any, **kwargs: Any) -> Any:
        torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
        return super().learn(*args, **kwargs)


class ConstantSeed(A2C):
    """Seeds everything with 0, whoever asks for another seed."""

    def _setup_model(self) -> None:
        self._constant()
        super()._setup_model()

    def learn(self, *args: Any, **kwargs: Any) -> Any:
        self._constant()
        return super().learn(*args, **kwargs)

    def _constant(self) -> None:
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)

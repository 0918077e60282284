"""What the experiments of the laboratory are asked beyond agents, tasks and seeds: a block of the config each."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from rlaudit.config.base import Frozen
from rlaudit.config_values import (
    CONVEX_SCHEMES,
    NUMBER,
    SCHEMES,
    WHOLE,
    ConvexSchemeName,
    Count,
    SchemeName,
    Seed,
    Seeds,
    distinct_names,
)  # fmt: skip


class InitializerConfig(Frozen):
    """How the weights of an agent are drawn."""

    scheme: Annotated[SchemeName, Field(description="rlaudit list initializers")]
    last_gain: Annotated[
        Annotated[float, Field(ge=0), NUMBER] | None,
        Field(description="factor on the weights of the last layers; as the scheme draws them unless given"),
    ] = None


def _bare_scheme(value: object) -> object:
    """`he_normal` is short for `{scheme: he_normal}`."""
    return {"scheme": value} if isinstance(value, str) else value


Initializer: TypeAlias = Annotated[
    InitializerConfig, BeforeValidator(_bare_scheme, json_schema_input_type=str | InitializerConfig)
]


class ReproduceConfig(Frozen):
    """`experiment: reproduce`."""

    seeds: Annotated[int, Field(ge=1, le=100), WHOLE, Field(description="of the config's seeds, the first so many")] = 1
    timesteps: Annotated[
        Count | None, Field(description="of the trials under equal conditions; to the end unless given")
    ] = None
    steps: Annotated[
        Count, Field(description="timesteps of the other trials, which then stop once the agent has learned something")
    ] = 2000


class SourcesConfig(Frozen):
    """`experiment: sources`: the levels of each stream of random numbers, where they are not `seeds`."""

    init: Annotated[Seeds | None, Field(description="levels of the initial weights")] = None
    env: Annotated[Seeds | None, Field(description="levels of the environment")] = None
    algo: Annotated[Seeds | None, Field(description="levels of what the algorithm samples")] = None

    def levels(self, seeds: Seeds) -> tuple[Seeds, Seeds, Seeds]:
        """Of weights, environment and algorithm; `seeds` of the config stand in for what is not given here."""
        return self.init or seeds, self.env or seeds, self.algo or seeds


class InitializersConfig(Frozen):
    """`experiment: initializers`: every scheme with every gain of the last layers."""

    schemes: Annotated[
        tuple[SchemeName, ...],
        Field(min_length=1, description="rlaudit list initializers; all of them unless given"),
        AfterValidator(distinct_names),
    ] = SCHEMES
    last_gains: Annotated[
        tuple[Annotated[float, Field(ge=0, allow_inf_nan=False), NUMBER], ...],
        Field(min_length=1, description="factors on the last layers that choose actions"),
        AfterValidator(distinct_names),
    ] = (0.01, 1.0)


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(first >= then for first, then in pairwise(values)):
        raise ValueError("do not rise from one to the next")
    return values


class TicketsConfig(Frozen):
    """`experiment: tickets`."""

    sparsities: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1), NUMBER], ...],
        Field(min_length=1, description="shares of the weights of hidden layers that are zero, rising"),
        AfterValidator(_rising),
    ] = (0.8, 0.95)
    prune_per_round: Annotated[
        float,
        Field(gt=0, lt=1),
        NUMBER,
        Field(description="share of the remaining weights that a round of training and pruning takes away at most"),
    ] = 0.6
    extremes: Annotated[
        Count, Field(description="how many of the luckiest and of the unluckiest initial weights are retrained")
    ] = 3
    retrain_seeds: Annotated[
        int, Field(ge=2), WHOLE, Field(description="runs of each of them, with fresh seeds for everything else")
    ] = 8


class ConvexConfig(Frozen):
    """`experiment: convex`: an expert's decisions, fitted by a convex model and by one that is not."""

    schemes: Annotated[
        tuple[ConvexSchemeName, ...],
        Field(min_length=1, description="how initial weights are drawn"),
        AfterValidator(distinct_names),
    ] = CONVEX_SCHEMES
    states: Annotated[int, Field(ge=20, le=100_000), WHOLE, Field(description="decisions of the expert to fit")] = 1000
    hidden: Annotated[int, Field(ge=1, le=1024), WHOLE, Field(description="units of the model with a hidden layer")] = (
        16
    )
    l2: Annotated[
        Annotated[float, Field(ge=1e-6, le=1), NUMBER],
        Field(description="times half the squared weights; expert data are often separable: without it no minimum"),
    ] = 0.001
    iterations: Annotated[Count, Field(description="at most, of L-BFGS; a run that is not done by then fails")] = 20_000
    expert_seed: Annotated[Seed, Field(description="of the one training of the expert")] = 0


BLOCKS: Mapping[str | int, type[BaseModel]] = {  # experiment -> its block, which has the same name
    "reproduce": ReproduceConfig,
    "sources": SourcesConfig,
    "initializers": InitializersConfig,
    "tickets": TicketsConfig,
    "convex": ConvexConfig,
}

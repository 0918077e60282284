"""What the experiments of the laboratory are asked beyond agents, tasks and seeds: a block of the config each."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

from rlaudit.config.base import Frozen
from rlaudit.config_values import NUMBER, WHOLE, Count, SchemeName, Seeds


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
    """`experiment: initializers`."""


class TicketsConfig(Frozen):
    """`experiment: tickets`."""


class ConvexConfig(Frozen):
    """`experiment: convex`."""


BLOCKS: Mapping[str | int, type[BaseModel]] = {  # experiment -> its block, which has the same name
    "reproduce": ReproduceConfig,
    "sources": SourcesConfig,
    "initializers": InitializersConfig,
    "tickets": TicketsConfig,
    "convex": ConvexConfig,
}

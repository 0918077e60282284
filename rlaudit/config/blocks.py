"""What the experiments of the laboratory are asked beyond agents, tasks and seeds: a block of the config each."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from rlaudit.config.base import Frozen
from rlaudit.config_values import NUMBER, SCHEMES, SchemeName, distinct_names


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


class SourcesConfig(Frozen):
    """`experiment: sources`."""


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

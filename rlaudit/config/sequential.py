"""Seeds that are added, a batch at a time, until it is known who is better: `seeds: {until: decided}`."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, TypeAdapter

from rlaudit.config.base import Frozen
from rlaudit.config_values import (
    MAX_SEEDS,
    NUMBER,
    WHOLE,
    Count,
    LooksName,
    Seed,
    Seeds,
)  # fmt: skip


def _switched_off(value: object) -> object:
    """`false` says that nobody stops for want of hope."""
    if value is True:
        raise ValueError("is neither a chance such as 0.1 nor false")
    return None if value is False else value


class SequentialSeeds(Frozen):
    """Looks that are declared before the first seed is trained."""

    until: Annotated[
        Literal["decided"], Field(description="seeds are added until it is known who is better, or the looks end")
    ] = "decided"
    design: Annotated[
        LooksName,
        Field(description="sequential: exact permutation tests that share alpha over the looks; anytime: an e-process"),
    ] = "sequential"
    batch: Annotated[Count, Field(description="seeds an agent between two looks")] = 5
    looks: Annotated[int, Field(ge=2, le=1000), WHOLE, Field(description="how often is looked at most")] = 6
    first: Annotated[Seed, Field(description="the first seed; the others follow it")] = 0
    futility: Annotated[
        Annotated[float, Field(gt=0, lt=1), NUMBER] | None,
        BeforeValidator(_switched_off, json_schema_input_type=Annotated[float, Field(gt=0, lt=1)] | Literal[False]),
        Field(description="stop where the chance of a winner by the last look is below; false: never"),
    ] = 0.1

    @property
    def most(self) -> int:
        """Seeds an agent, where it is looked to the end."""
        return self.batch * self.looks

    @property
    def seeds(self) -> tuple[int, ...]:
        """All that may be needed, in their order."""
        return tuple(range(self.first, self.first + self.most))


_SEEDS: TypeAdapter[tuple[int, ...]] = TypeAdapter(Seeds)


def _seeds_or_looks(value: object) -> object:
    """A mapping says how seeds are added; all else how many there are."""
    if isinstance(value, SequentialSeeds):
        return value
    if not isinstance(value, Mapping):
        return _SEEDS.validate_python(value)
    asked = SequentialSeeds.model_validate(value)
    if asked.most > MAX_SEEDS:
        raise ValueError(f"makes {asked.batch} x {asked.looks} = {asked.most:,} seeds an agent, above {MAX_SEEDS:,}")
    if asked.first + asked.most > 2**31:
        raise ValueError(f"ends in seed {asked.first + asked.most - 1:,}; the last one is {2**31 - 1:,}")
    return asked


SeedsOrLooks: TypeAlias = Annotated[
    SequentialSeeds | tuple[int, ...],
    BeforeValidator(_seeds_or_looks, json_schema_input_type=Seeds | SequentialSeeds),
    Field(description="a count (20 means 0 to 19), a range '100-119', a list; or looks: {until: decided}"),
]

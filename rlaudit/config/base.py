"""What all blocks of a config have in common."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """No key too many, no value that changes, no infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

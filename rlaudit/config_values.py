"""The kinds of values a config holds, each with the sentence that refuses the wrong ones.

A refusal is a predicate; `config.py` puts the key and the value that was found in front of it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from rlaudit.errors import did_you_mean
from rlaudit.types import canonical_json

# Names of the registries, written out so that a config is read without scipy or torch; a test keeps them in step.
TestName = Literal[
    "welch", "student", "yuen", "permutation", "permutation_studentised",
    "bootstrap_percentile", "bootstrap_pivotal", "bootstrap_expanded", "bootstrap_t", "bootstrap_bca",
    "mann_whitney", "brunner_munzel", "rank_t", "kolmogorov_smirnov", "almost_stochastic_order",
    "paired_t", "sign_flip", "paired_bootstrap",
]  # fmt: skip
ProcedureName = Literal[
    "mean_higher", "top_run", "error_bars_se", "error_bars_sd", "error_bars_ci", "best_k_of_n", "adding_seeds",
    "per_point", "evaluations_as_samples", "best_checkpoint", "choose_metric", "choose_task", "tune_and_report",
]  # fmt: skip
CorrectionName = Literal["holm", "benjamini_hochberg", "max_t"]
BackendName = Literal["sb3", "command", "function"]  # that a config can name; experiments bring their own
ExperimentName = Literal["audit", "reproduce", "sources", "initializers", "tickets", "convex"]
SchemeName = Literal[
    "orthogonal", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "truncated_normal", "unit_normal", "small_normal", "zeros", "torch",
]  # fmt: skip
ScoreName = Literal["final", "auc", "best"]
LooksName = Literal["sequential", "anytime"]  # designs in which seeds are added and looked at
TESTS: tuple[str, ...] = get_args(TestName)
PROCEDURES: tuple[ProcedureName, ...] = get_args(ProcedureName)
BACKEND_NAMES: tuple[str, ...] = get_args(BackendName)
EXPERIMENT_NAMES: tuple[str, ...] = get_args(ExperimentName)
SCHEMES: tuple[SchemeName, ...] = get_args(SchemeName)

MAX_SEEDS = 100_000  # of an agent
_LEAST_MEMORY = 10_000_000


def _whole(value: object) -> object:
    """1e5 is a whole number; true and "5" are not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a whole number")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    return value


_UNITS = {"": 1} | {f"{prefix}B": 1000**power for power, prefix in enumerate(("", "K", "M", "G", "T"))}
_UNITS |= {f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def n_bytes(value: object) -> int:
    """2_000_000, "2GB" or "1.5 GiB". Raises ValueError."""
    units = {unit.lower(): size for unit, size in _UNITS.items()}
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not match or match[2].lower() not in units:
        raise ValueError("is no size; give bytes, or a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB")
    size = int(float(match[1]) * units[match[2].lower()])
    if size < _LEAST_MEMORY:
        raise ValueError("is less than any run needs; give 10MB or more, such as 2GB")
    return size


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not text; put it in quotes")
    return value


def _switch(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _switch_or_mapping(value: object) -> object:
    if not isinstance(value, bool | Mapping):
        raise ValueError("is neither true, nor false, nor a mapping")
    return jsonable(value) if isinstance(value, Mapping) else value


def _label(value: str) -> str:
    """Labels stand in folder names, tables and sentences."""
    if not value or value != value.strip() or not value.isprintable() or len(value) > 80 or set(value) & set("/\\"):
        raise ValueError("is no label: 1 to 80 printable characters, without slashes and without a blank at either end")
    return value


# Of the backend sb3; written out so that a config is read without torch. A test keeps them in step.
ALGORITHMS = ("PPO", "A2C", "DQN", "SAC", "TD3", "DDPG", "TRPO", "ARS", "CrossQ", "TQC", "QRDQN", "RecurrentPPO")


def _algorithm(value: str) -> str:
    if not set(value) & set(".:") and value not in ALGORITHMS:
        near = did_you_mean(value.upper(), ALGORITHMS)  # "ppo" is the commonest slip
        raise ValueError(f"is no algorithm, nor an import path such as 'package.module:Class'.{near}")
    return value


def _import_path(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value):
        raise ValueError("is no import path such as 'package.module:train'")
    return value


def _wrapper(value: object) -> object:
    """`package.module:Class` is short for `{package.module:Class: {}}`; rl-zoo's dot before the class is a colon."""
    one = {value: None} if isinstance(value, str) else value
    if not isinstance(one, Mapping) or len(one) != 1:
        raise ValueError("is neither the name of a wrapper nor {package.module:Class: {key: value}}")
    ((name, kwargs),) = one.items()
    if not (isinstance(kwargs, Mapping) or kwargs is None):
        raise ValueError(f"gives {name} no keyword arguments such as {{key: value}}")
    if not re.fullmatch(r"[A-Za-z_][\w.]*[.:][A-Za-z_]\w*", name):
        raise ValueError("is no import path such as 'package.module:Class'")
    module, _, class_name = name.rpartition(":" if ":" in name else ".")
    return jsonable({f"{module}:{class_name}": kwargs or {}})


def _folder_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}", value):
        raise ValueError("is no name for a folder: use letters, digits and . _ + -")
    return value


def jsonable(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What cannot be written as JSON has no place in a run's identity."""
    try:
        canonical_json(value)
    except (TypeError, ValueError):
        raise ValueError("holds more than finite numbers, text, true, false, null, lists and mappings") from None
    return value


def ascending(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Sorted; each once."""
    if len(set(sizes)) < len(sizes):
        raise ValueError("names a size twice")
    return tuple(sorted(sizes))


def distinct_names(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each once."""
    if len(set(names)) < len(names):
        raise ValueError("names one of them twice")
    return names


def bounds(pair: tuple[float, float]) -> tuple[float, float]:
    """Two different scores."""
    if pair[0] == pair[1]:
        raise ValueError("are one score twice; between them lies the scale")
    return pair


_WHY = "it also rejects where only the spreads differ"  # .52 and .29 of experiments, 30 v 30 seeds with sd 3 : 1
_NO_DECIDERS = {"kolmogorov_smirnov": _WHY, "almost_stochastic_order": _WHY}


def with_a_decider(tests: tuple[str, ...]) -> tuple[str, ...]:
    """The first one says which agent is better, so that it must not reject for other reasons."""
    if tests[0] in _NO_DECIDERS:
        raise ValueError(f"lets {tests[0]} decide which agent is better, but {_NO_DECIDERS[tests[0]]}; name it later")
    return tests


# ---------------------------------------------------------------- seeds


def _spelled_out(value: object) -> object:
    """20 -> 0..19; "100-119" and "0-4, 7" -> the numbers they name; a list stays a list."""
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, str):
        ranges = [_seed_range(part.strip()) for part in value.split(",")]
        _check_count(max(2, sum(map(len, ranges))))
        return tuple(seed for seeds in ranges for seed in seeds)
    count = _whole(value)
    assert isinstance(count, int)
    _check_count(count)
    return tuple(range(count))


def _seed_range(text: str) -> range:
    found = re.fullmatch(r"(\d{1,10})(?:\s*-\s*(\d{1,10}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if last < first:
        raise ValueError("is neither a count such as 20, nor a range such as '100-119', nor a list such as [3, 5, 8]")
    return range(first, last + 1)


def _check_count(count: int) -> None:
    if not 2 <= count <= MAX_SEEDS:
        noun = "seed" if count == 1 else "seeds"
        raise ValueError(f"makes {count} {noun}; an audit needs at least 2, better 20 (at most {MAX_SEEDS:,})")


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    _check_count(len(seeds))
    seen: set[int] = set()
    for seed in seeds:
        if seed in seen:
            raise ValueError(f"names seed {seed} twice; the same seed is the same run")
        seen.add(seed)
    return seeds


# ---------------------------------------------------------------- kinds
# A bound stands before the validator, on the number itself: only then does the JSON schema know it.

WHOLE = BeforeValidator(_whole)
NUMBER = BeforeValidator(_number)
Count: TypeAlias = Annotated[int, Field(ge=1), WHOLE]
Memory: TypeAlias = Annotated[int, BeforeValidator(n_bytes, json_schema_input_type=int | str)]
Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Switch: TypeAlias = Annotated[bool, BeforeValidator(_switch)]
Label: TypeAlias = Annotated[Text, AfterValidator(_label)]
Algorithm: TypeAlias = Annotated[Text, AfterValidator(_algorithm)]
ImportPath: TypeAlias = Annotated[Text, AfterValidator(_import_path)]
FolderName: TypeAlias = Annotated[Text, AfterValidator(_folder_name)]
JsonMapping: TypeAlias = Annotated[Mapping[str, Any], AfterValidator(jsonable)]
Wrapper: TypeAlias = Annotated[
    Mapping[str, Mapping[str, Any]],
    BeforeValidator(_wrapper, json_schema_input_type=str | dict[str, dict[str, Any] | None]),
]
SwitchOrMapping: TypeAlias = Annotated[bool | Mapping[str, Any], BeforeValidator(_switch_or_mapping)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**31), WHOLE]
Seeds: TypeAlias = Annotated[
    tuple[Seed, ...],
    BeforeValidator(_spelled_out, json_schema_input_type=Annotated[int, Field(ge=2)] | str | list[Seed]),
    AfterValidator(_distinct),
    Field(description="a count (20 means 0 to 19), a range '100-119', or a list"),
]

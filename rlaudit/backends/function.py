"""The backend `function`: a Python function that trains once and returns what came of it.

    agents:
      mine:
        train: mypackage.module:train           # the module is looked for beside the config, too
        params: {learning_rate: 3e-4}           # further keyword arguments
        timesteps: 100000

    def train(env_id, timesteps, seed, learning_rate=1e-3):
        ...
        return score

It is called with keyword arguments, `env_id`, `timesteps` and `seed` (0, 1, 2, ... as the config says) always, and with
those of the following that its signature names: `seeds` (rlaudit.types.Seeds), `seed_init`, `seed_env` and `seed_algo`
(three seeds derived from `seed`, far apart; one of them stands in for `seed`, which may then be missing), `env_kwargs`
(of the task) and `progress` (call it with the timesteps done so far, for the progress display).

It returns one of

* a number: the score of this run;
* a list of pairs (step, return): a learning curve, whose last return is the score;
* a list of pairs (step, [return, return, ...]): the same with the episodes of each evaluation, equally many each time.

Each run has a process of its own, limited to one thread, in the folder from which rlaudit was started. Before the call,
Python's and NumPy's global generators and, where the module has loaded it, torch's are seeded from `seed_algo`: a
function that forgets to seed one of them still gives the same result twice. What it raises becomes a failed run with
the traceback.
"""

import os
import reprlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib import import_module, invalidate_caches
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import numpy as np

from rlaudit.backends.curves import curve, finite
from rlaudit.backends.provenance import hashes, machine, versions
from rlaudit.errors import ConfigError, ImportFormatError, RlauditError, did_you_mean
from rlaudit.types import Problem, Progress, RunRecord, RunSpec

ALWAYS = ("env_id", "timesteps", "seed")
ON_REQUEST = ("seeds", "seed_init", "seed_env", "seed_algo", "env_kwargs", "progress")
_SEEDS = ("seed", "seeds", "seed_init", "seed_env", "seed_algo")
_FORMS = "a number, or a list of pairs (step, return) or (step, [returns of the episodes])"
_PACKAGES = ("torch", "jax", "tensorflow", "gymnasium", "numpy")  # whose versions are kept where they are loaded


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Calls the function of each spec once; whatever goes wrong in it becomes a failed record."""
    for spec in specs:
        started = _cpu_seconds()
        with beside(spec.folder):
            record = _train_one(spec, progress)
        yield replace(record, seconds=_cpu_seconds() - started, provenance=_provenance(spec))


def check(spec: RunSpec) -> list[Problem]:
    """What is wrong with a spec, found by importing the module and looking at the function's signature."""
    at = ("agents", spec.agent)
    try:
        with beside(spec.folder), redirect_stdout(sys.stderr):  # a module may print; standard output may be our JSON
            function = load(spec.algo)
            parameters = signature(function).parameters
    except (RlauditError, ValueError, TypeError) as error:
        return [Problem((*at, "train"), str(error))]
    return [Problem((*at, *path), message) for path, message in _misfits(spec, parameters)]


# ---------------------------------------------------------------- the function


@contextmanager
def beside(folder: str) -> Iterator[None]:
    """Modules in `folder` can be imported; they are forgotten afterwards, for another folder may have its namesake."""
    before = set(sys.modules)
    sys.path.insert(0, folder)
    invalidate_caches()  # the folder may have changed a moment ago
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            top = name.partition(".")[0]  # a virtual environment may lie below the folder: its packages stay
            if top not in before and (Path(folder, f"{top}.py").is_file() or Path(folder, top).is_dir()):
                del sys.modules[name]


def load(path: str) -> Callable[..., Any]:
    """The function behind `package.module:name`. Raises ConfigError."""
    module_name, _, name = path.partition(":")
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{path!r} cannot be imported: {type(error).__name__}: {error}") from error
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [one for one in dir(found) if not one.startswith("_")]
            raise ConfigError(f"there is no {part!r} in {module_name}.{did_you_mean(part, public)[:200]}")
        found = getattr(found, part)
    if not callable(found):
        raise ConfigError(f"{path!r} is {type(found).__name__}, not a function")
    function: Callable[..., Any] = found
    return function


def _misfits(spec: RunSpec, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Between what the function takes and what it would be given."""
    at, takes_any = ("train",), any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())
    named = {name: one for name, one in parameters.items() if one.kind in _KEYWORDS}
    for name in ("env_id", "timesteps"):
        if name not in named and not takes_any:
            yield Problem(at, f"takes no {name!r}; it is called as train(env_id, timesteps, seed, **params)")
    if not takes_any and not set(_SEEDS) & set(named):
        yield Problem(at, "takes no 'seed', so that all of its runs would be one run: train(env_id, timesteps, seed)")
    for name, one in parameters.items():
        if one.kind is Parameter.POSITIONAL_ONLY:
            yield Problem(at, f"takes {name!r} by position only; it is called with keyword arguments")
        elif name in named and one.default is Parameter.empty and name not in (*ALWAYS, *ON_REQUEST, *spec.params):
            yield Problem(at, f"needs {name!r}, which stands neither under params nor among what it is given")
    own = [name for name in named if name not in (*ALWAYS, *ON_REQUEST)]
    for key in spec.params:
        if key in (*ALWAYS, *ON_REQUEST):
            yield Problem(("params", key), "cannot be set here: each run gets its own")
        elif key not in own and not takes_any:
            near = did_you_mean(key, own) or " It takes no parameters."
            yield Problem(("params", key), f"is no argument of {spec.algo}.{near}")
    if spec.env_kwargs and "env_kwargs" not in named:
        yield Problem(at, f"takes no 'env_kwargs', and the task has some: {', '.join(spec.env_kwargs)}")


_KEYWORDS = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _arguments(spec: RunSpec, function: Callable[..., Any], progress: Progress) -> dict[str, Any]:
    seeds = spec.seeds
    given: dict[str, Any] = {
        "env_id": spec.env_id,
        "timesteps": spec.timesteps,
        "seed": spec.seed,
        "seeds": seeds,
        "seed_init": seeds.init,
        "seed_env": seeds.env,
        "seed_algo": seeds.algo,
        "env_kwargs": dict(spec.env_kwargs),
        "progress": lambda steps: progress(spec, int(steps)),
    }
    parameters = signature(function).parameters
    takes_any = any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())
    return {
        name: value for name, value in given.items() if name in parameters or (takes_any and name in ALWAYS)
    } | dict(spec.params)


# ---------------------------------------------------------------- one run


def _train_one(spec: RunSpec, progress: Progress) -> RunRecord:
    try:
        function = load(spec.algo)
        arguments = _arguments(spec, function, progress)
        _seed_generators(spec.seeds.algo)
        returned = function(**arguments)
    except (Exception, SystemExit) as error:
        return RunRecord(spec, "failed", error=_traceback(error))
    try:
        return _record(spec, returned)
    except ImportFormatError as error:
        return RunRecord(spec, "failed", error=f"{spec.algo}: {error}")


def _traceback(error: BaseException) -> str:
    """From the user's code on: the frame of the call says nothing."""
    inner = error.__traceback__.tb_next if error.__traceback__ else None
    return "".join(traceback.format_exception(type(error), error, inner)).strip()


def _seed_generators(seed: int) -> None:
    import random

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for functions that draw from NumPy's global generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _record(spec: RunSpec, returned: Any) -> RunRecord:
    """What was returned, as a record. Raises ImportFormatError where it is none of the forms."""
    if _is_number(returned):
        return finite(RunRecord(spec, "done", final_returns=np.array([float(returned)])))
    if not isinstance(returned, list) or not returned:
        raise ImportFormatError(f"it returned {_shown(returned)}, expected {_FORMS}{_way_out(returned)}")
    for place, pair in enumerate(returned):
        if not _is_pair(pair):
            raise ImportFormatError(
                f"item {place} of what it returned is {_shown(pair)}, expected a pair (step, return)"
            )
        if not _is_number(pair[0]):
            raise ImportFormatError(f"the step of item {place} is {_shown(pair[0])}, expected a whole number")
    return curve(spec, [float(pair[0]) for pair in returned], _returns(returned))


def _returns(pairs: Sequence[Any]) -> Any:
    """(n_points, n_episodes)"""
    rows = [[pair[1]] if _is_number(pair[1]) else pair[1] for pair in pairs]
    try:
        returns = np.array([np.asarray(row, np.float64) for row in rows])
    except (ValueError, TypeError):
        returns = np.empty(0)
    if returns.ndim != 2 or not returns.shape[1]:
        raise ImportFormatError(
            "the returns of its learning curve are not numbers, or not the same number of episodes at each step"
        )
    return returns


def _is_number(value: Any) -> bool:
    """Of Python, NumPy or torch, without dimensions; True is none."""
    if isinstance(value, bool | np.bool_ | str | bytes):
        return False
    try:
        return getattr(value, "ndim", 0) == 0 and isinstance(float(value), float)
    except (TypeError, ValueError, OverflowError):
        return False


def _is_pair(value: Any) -> bool:
    return (isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)) and len(value) == 2


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {' '.join(reprlib.repr(value).split())}"


def _way_out(returned: Any) -> str:
    if isinstance(returned, tuple) and len(returned) == 2:
        return ". Two sequences? return list(zip(steps, returns))"
    return ". An array of pairs? Return its .tolist()" if isinstance(returned, np.ndarray) else ""


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    return time.process_time() + sum(os.times()[2:4])


def _provenance(spec: RunSpec) -> dict[str, str]:
    module = spec.algo.partition(":")[0].split(".")
    file = Path(spec.folder, *module).with_suffix(".py")
    packages = [package for package in _PACKAGES if package in sys.modules]
    return {**versions(["rlaudit", *packages]), **machine(), **hashes([file] if file.exists() else [])}

"""Writes expected.json: what rl_zoo3 itself makes of every entry of the files beside this script.

    python tests/data/zoo-yaml/make.py             # with rl_zoo3 2.9.2, stable-baselines3 2.9.2, sb3-contrib 2.9.2
    python tests/data/zoo-yaml/make.py --compare   # every file that the rl_zoo3 wheel ships, against rlaudit

Environments are not made, so that none of them need be installed; wrappers of packages that are not installed are
stood for by empty classes.
"""

import argparse
import inspect
import json
import sys
import types
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rl_zoo3
import yaml
from rl_zoo3.exp_manager import ExperimentManager
from rl_zoo3.utils import ALGOS

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from zoo_arguments import ACTIONS, argument, read, words  # noqa: E402

STAND_INS = {"minigrid.wrappers": "FlatObsWrapper", "ae.wrapper": "AutoencoderWrapper"}


def theirs(algo: str, entry: dict[str, Any]) -> dict[str, Any]:
    """What rl_zoo3 hands to the constructor, to VecNormalize and to the wrappers."""
    manager = ExperimentManager.__new__(ExperimentManager)
    vars(manager).update(algo=algo, verbose=0, n_timesteps=0, n_evaluations=1, optimize_hyperparameters=False)
    vars(manager).update(normalize=False, normalize_kwargs={}, frame_stack=None, env_kwargs={}, monitor_kwargs={})
    params, wrap, _, wrap_all = manager._preprocess_hyperparams(deepcopy(entry))
    params = manager._preprocess_action_noise(params, {}, types.SimpleNamespace(action_space=ACTIONS))
    normalize = {"gamma": 0.99, **manager.normalize_kwargs} if manager.normalize else None
    return words(
        {
            "algo": ALGOS[algo],
            "timesteps": manager.n_timesteps,
            "n_envs": 1 if algo == "ars" else manager.n_envs,
            "policy": params.pop("policy"),
            "policy_kwargs": params.pop("policy_kwargs", {}),
            "params": {key: argument(key, value) for key, value in params.items()},
            "normalize": normalize,
            "frame_stack": manager.frame_stack or 1,
            "wrappers": [*inside(wrap), *inside(wrap_all)],
        }
    )


def inside(wrap: Any) -> list[Any]:
    """The classes and arguments that rl_zoo3's function would wrap with."""
    if wrap is None:
        return []
    held = inspect.getclosurevars(wrap).nonlocals
    return [list(pair) for pair in zip(held["wrapper_classes"], held["wrapper_kwargs"], strict=True)]


def entries(file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(file.read_text())


def compare() -> None:
    """Counts equal readings over all shipped files, and prints every entry that is not read by both alike."""
    counts = {"equal": 0, "refused by both": 0, "different": 0}
    with TemporaryDirectory() as folder:
        for file in sorted((Path(rl_zoo3.__file__).parent / "hyperparams").glob("*.yml")):
            (Path(folder) / file.name).write_text(file.read_text())
            for key, entry in entries(file).items():
                expected = outcome(theirs, file.stem, entry)
                found = outcome(read, Path(folder), f"{file.name}#{key}")
                refused = isinstance(expected, str) and isinstance(found, str)
                kind = "equal" if found == expected else "refused by both" if refused else "different"
                counts[kind] += 1
                if kind != "equal":
                    sys.stdout.write(f"{file.name}#{key}: {kind}\n  rl_zoo3: {expected}\n  rlaudit: {found}\n")
    sys.stdout.write(f"{counts}\n")


def outcome(reading: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return reading(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def stand_in() -> None:
    for module, name in STAND_INS.items():
        for part in (module.partition(".")[0], module):
            sys.modules.setdefault(part, types.ModuleType(part))
        setattr(sys.modules[module], name, type(name, (), {"__module__": module}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", action="store_true")
    stand_in()
    if parser.parse_args().compare:
        compare()
    else:
        read_by_zoo = {
            f"{file.name}#{key}": theirs(file.stem, entry)
            for file in sorted(HERE.glob("*.yml"))
            for key, entry in entries(file).items()
        }
        (HERE / "expected.json").write_text(json.dumps(read_by_zoo, indent=1) + "\n")

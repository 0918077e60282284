"""Makes metrics.json with JsonLogger of id-marl-eval 0.0.4, and episodes.json in the structure of its README.

Run with id-marl-eval installed: python make.py. JsonLogger writes one value an evaluation, others write the episodes.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
STEPS = (1000, 2000, 3000)


def logger_module():
    """By its path: the package around it imports a tracking service."""
    folder = importlib.util.find_spec("marl_eval").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("json_logger", f"{folder}/json_tools/json_logger.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logged(rng: np.random.Generator) -> None:
    (HERE / "metrics.json").unlink(missing_ok=True)
    module = logger_module()
    for task in ("3m", "8m"):
        for algorithm, level in (("ippo", 5.0), ("mappo", 8.0)):
            for seed in (0, 1, 42):
                logger = module.JsonLogger(str(HERE), algorithm, task, "smac", seed)
                for i, step in enumerate(STEPS):
                    logger.write(step, "mean_episode_return", round(level * i + rng.normal(), 3), i)
                    logger.write(step, "win_rate", round(rng.uniform(), 3), i)
                if (task, algorithm, seed) != ("8m", "ippo", 42):  # this one did not finish
                    logger.write(0, "mean_episode_return", round(3 * level + rng.normal(), 3), None, True)
                    logger.write(0, "win_rate", round(rng.uniform(), 3), None, True)


def episodes(rng: np.random.Generator) -> None:
    def evaluation(n: int) -> dict[str, list[float]]:
        return {"return": rng.normal(10, 3, n).round(3).tolist()}

    def run() -> dict[str, object]:
        steps = {f"step_{i}": {"step_count": step, **evaluation(4)} for i, step in enumerate(STEPS, 1)}
        return {**steps, "absolute_metrics": evaluation(40)}

    runs = {algorithm: {f"run_{i}": run() for i in (1, 2)} for algorithm in ("qmix", "vdn")}
    content = {"rware": {"tiny-2ag": runs}, "lbf": {"8x8": runs}}
    (HERE / "episodes.json").write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    logged(np.random.default_rng(0))
    episodes(np.random.default_rng(1))

"""The backend `function`: what a function is given, what it may return, and what is refused before it is called."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import spec

from rlaudit.backends import function
from rlaudit.executors import run_local, run_serial
from rlaudit.seeds import run_seeds
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

PLAIN = "def train(env_id, timesteps, seed): return seed\n"


def calling(folder: Path, source: str = PLAIN, path: str = "mine:train", seed: int = 3, **changes: Any) -> RunSpec:
    """A run of a function whose module stands in `folder`."""
    (folder / "mine.py").write_text(source)
    fields: dict[str, Any] = {"agent": "a", "env_id": "Grid-v0", "timesteps": 100, "evaluation": EvaluationPlan()}
    return spec(seed, **{**fields, **changes}, algo=path, backend="function", folder=str(folder))


def outcome(of: RunSpec) -> RunRecord:
    (record,) = run_serial([of])
    return record


def returning(folder: Path, expression: str) -> RunRecord:
    source = f"import numpy as np\ndef train(env_id, timesteps, seed):\n    return {expression}\n"
    return outcome(calling(folder, source))


# ---------------------------------------------------------------- what it is given


def test_the_three_arguments_are_given_always_and_params_beside_them(tmp_path: Path) -> None:
    source = (
        "def train(env_id, timesteps, seed, lr): return int((env_id, timesteps, seed, lr) == ('Grid-v0', 100, 3, .5))"
    )
    assert [1] == outcome(calling(tmp_path, source, params={"lr": 0.5})).final_returns.tolist()


def test_what_its_signature_asks_for_is_given_too(tmp_path: Path) -> None:
    seeds = run_seeds(3)
    source = f"""
def train(env_id, timesteps, *, seeds, seed_init, seed_env, seed_algo, env_kwargs):
    assert (seeds.init, seeds.env, seeds.algo) == (seed_init, seed_env, seed_algo)
    assert (seed_init, seed_env, seed_algo) == ({seeds.init}, {seeds.env}, {seeds.algo})
    assert env_kwargs == {{"size": 4}}
    return 1
"""
    of = calling(tmp_path, source, env_kwargs={"size": 4})
    assert [] == function.check(of)
    assert "done" == outcome(of).status


def test_a_function_of_any_keywords_gets_the_three_and_params(tmp_path: Path) -> None:
    source = "def train(**given): return sum(map(ord, ''.join(sorted(given))))"
    of = calling(tmp_path, source, params={"lr": 1})
    assert [] == function.check(of)
    assert [sum(map(ord, "env_idlrseedtimesteps"))] == outcome(of).final_returns.tolist()


def test_progress_is_passed_on(tmp_path: Path) -> None:
    steps: list[int] = []
    of = calling(tmp_path, "def train(env_id, timesteps, seed, progress): progress(7); return 1")
    list(function.train([of], progress=lambda spec, step: steps.append(step)))
    assert [7] == steps


def test_a_method_of_a_class_is_a_function_too(tmp_path: Path) -> None:
    source = "class Agent:\n    @staticmethod\n    def train(env_id, timesteps, seed): return 8"
    assert [8] == outcome(calling(tmp_path, source, "mine:Agent.train")).final_returns.tolist()


def test_it_may_import_modules_beside_it_whenever_it_likes(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("SCORE = 6")
    source = "def train(env_id, timesteps, seed):\n    import beside_it\n    return beside_it.SCORE"
    assert [6] == outcome(calling(tmp_path, source)).final_returns.tolist()


def test_modules_of_one_folder_are_not_taken_for_those_of_another(tmp_path: Path) -> None:
    for name, score in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        of = calling(tmp_path / name, f"def train(env_id, timesteps, seed): return {score}")
        assert [] == function.check(of)
        assert [score] == outcome(of).final_returns.tolist()
    assert "mine" not in sys.modules
    assert str(tmp_path / "one") not in sys.path


@pytest.mark.parametrize("draw", ["random.random()", "np.random.random()"])
def test_a_function_that_forgets_to_seed_gives_the_same_result_twice_and_another_one_for_another_seed(
    draw: str, tmp_path: Path
) -> None:
    source = f"import random\nimport numpy as np\ndef train(env_id, timesteps, seed): return {draw}"
    first, again, other = (outcome(calling(tmp_path, source, seed=seed)).final_returns.tolist() for seed in (3, 3, 4))
    assert first == again
    assert first != other


# ---------------------------------------------------------------- what it returns


@pytest.mark.parametrize("expression", ["7", "7.0", "np.float32(7)", "np.array(7)", "np.int64(7)"])
def test_a_number_is_the_score(expression: str, tmp_path: Path) -> None:
    record = returning(tmp_path, expression)
    assert "done" == record.status, record.error
    assert [7] == record.final_returns.tolist()
    assert 0 == len(record.eval_steps)


@pytest.mark.parametrize(
    "expression", ["[(50, 1), (100, 2)]", "[[50, 1], [100, 2]]", "list(zip(np.array([50, 100]), (1, 2)))"]
)
def test_pairs_are_a_learning_curve_whose_last_return_is_the_score(expression: str, tmp_path: Path) -> None:
    record = returning(tmp_path, expression)
    assert "done" == record.status, record.error
    assert [50, 100] == record.eval_steps.tolist()
    assert [[1], [2]] == record.eval_returns.tolist()
    assert [2] == record.final_returns.tolist()


def test_the_episodes_of_each_evaluation_may_be_returned(tmp_path: Path) -> None:
    record = returning(tmp_path, "[(50, [1, 2, 3]), (100, np.array([4, 5, 6]))]")
    np.testing.assert_array_equal([[1, 2, 3], [4, 5, 6]], record.eval_returns)
    assert [4, 5, 6] == record.final_returns.tolist()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("None", "it returned NoneType None, expected a number, or a list of pairs (step, return)"),
        ("'7'", "it returned str '7', expected a number"),
        ("True", "it returned bool True, expected a number"),
        ("[]", "it returned list [], expected a number"),
        ("([1, 2], [3, 4])", "Two sequences? return list(zip(steps, returns))"),
        ("np.ones((2, 2))", "An array of pairs? Return its .tolist()"),
        ("{'score': 1}", "it returned dict {'score': 1}, expected"),
        ("[1, 2, 3]", "item 0 of what it returned is int 1, expected a pair (step, return)"),
        ("[(1, 2), (3, 4, 5)]", "item 1 of what it returned is tuple (3, 4, 5), expected a pair"),
        ("[('a', 2)]", "the step of item 0 is str 'a', expected a whole number"),
        ("[(1, 'x')]", "the returns of its learning curve are not numbers"),
        ("[(1, [1, 2]), (2, [3])]", "not the same number of episodes at each step"),
        ("[(1, [])]", "the returns of its learning curve are not numbers"),
        ("[(1.5, 2)]", "found 1.5 as a step, expected a whole number"),
        ("[(-1, 2)]", "found -1.0 as a step"),
        ("[(float('nan'), 2)]", "found nan as a step"),
        ("[(2, 1), (1, 2)]", "step 1 follows step 2"),
        ("[(2, 1), (2, 2)]", "step 2 follows step 2"),
        ("float('nan')", "the score is not finite"),
        ("[(1, 2), (2, float('inf'))]", "the return at step 2 is not finite"),
    ],
)
def test_anything_else_is_a_failed_run_with_one_message(expression: str, message: str, tmp_path: Path) -> None:
    record = returning(tmp_path, expression)
    assert "failed" == record.status
    assert (record.error or "").startswith("mine:train: ")
    assert message in (record.error or "")
    assert 1 == len((record.error or "").splitlines())


def test_what_it_raises_is_a_failed_run_with_the_users_frames_only(tmp_path: Path) -> None:
    record = outcome(calling(tmp_path, "def train(env_id, timesteps, seed):\n    return 1 / 0\n"))
    error = record.error or ""
    assert "failed" == record.status
    assert error.endswith("ZeroDivisionError: division by zero")
    assert "mine.py" in error
    assert "rlaudit" not in error


def test_an_exit_is_a_failed_run(tmp_path: Path) -> None:
    record = outcome(calling(tmp_path, "import sys\ndef train(env_id, timesteps, seed): sys.exit('no licence')"))
    assert (record.error or "").endswith("SystemExit: no licence")


# ---------------------------------------------------------------- records


def test_serial_one_and_two_workers_give_the_same_records(tmp_path: Path) -> None:
    source = "import random\ndef train(env_id, timesteps, seed): return [(i, random.random()) for i in range(5)]"
    specs = [calling(tmp_path, source, seed=seed) for seed in range(4)]

    def curves(records: Any) -> dict[Any, Any]:
        return {record.spec.seed: record.eval_returns.tolist() for record in records}

    serial = curves(run_serial(specs))
    assert 4 == len({str(curve) for curve in serial.values()})
    assert serial == curves(run_local(specs, workers=1)) == curves(run_local(specs, workers=2))


def test_a_function_over_its_time_is_stopped(tmp_path: Path) -> None:
    source = "import time\ndef train(env_id, timesteps, seed): time.sleep(100)"
    (record,) = run_local([calling(tmp_path, source, timeout=3.0)], workers=1)
    assert (record.error or "").endswith("TimeoutError: stopped after 3 s of wall time")


def test_provenance_holds_the_hash_of_the_module_and_what_it_loaded(tmp_path: Path) -> None:
    provenance = outcome(calling(tmp_path)).provenance
    assert 64 == len(provenance["sha256 of mine.py"])
    assert np.__version__ == provenance["numpy"]


def test_the_seconds_are_those_of_the_call_and_of_its_children(tmp_path: Path) -> None:
    burn = "t = time.process_time()\\nwhile time.process_time() < t + .3: pass"
    source = f"""
import subprocess, sys, time
def train(env_id, timesteps, seed):
    subprocess.run([sys.executable, "-c", "import time\\n{burn}"], check=True)
    return 1
"""
    assert 0.3 <= outcome(calling(tmp_path, source)).seconds < 3


# ---------------------------------------------------------------- what is refused beforehand


@pytest.mark.parametrize(
    ("source", "changes", "place", "message"),
    [
        ("def trian(env_id, timesteps, seed): 0", {}, "train", "there is no 'train' in mine. Did you mean 'trian'?"),
        ("train = 3", {}, "train", "'mine:train' is int, not a function"),
        ("import no_such_module", {}, "train", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", {}, "train", "cannot be imported: ZeroDivisionError"),
        ("def train(", {}, "train", "cannot be imported: SyntaxError"),
        ("import sys; sys.exit(3)", {}, "train", "cannot be imported: SystemExit: 3"),
        ("def train(env_id, timesteps): 0", {}, "train", "takes no 'seed', so that all of its runs would be one run"),
        ("def train(env, timesteps, seed): 0", {}, "train", "takes no 'env_id'; it is called as train(env_id,"),
        ("def train(env, timesteps, seed): 0", {}, "train", "needs 'env', which stands neither under params"),
        ("def train(env_id, timesteps, seed, lr): 0", {}, "train", "needs 'lr', which stands neither under params"),
        ("def train(env_id, timesteps, seed, /): 0", {}, "train", "takes 'env_id' by position only"),
        (
            "def train(env_id, timesteps, seed, learning_rate=1): 0",
            {"params": {"learning_rat": 1}},
            "params.learning_rat",
            "is no argument of mine:train. Did you mean 'learning_rate'?",
        ),
        (PLAIN, {"params": {"lr": 1}}, "params.lr", "is no argument of mine:train. It takes no parameters."),
        (PLAIN, {"params": {"seed": 1}}, "params.seed", "cannot be set here: each run gets its own"),
        (PLAIN, {"env_kwargs": {"size": 4}}, "train", "takes no 'env_kwargs', and the task has some: size"),
    ],
)
def test_a_function_that_does_not_fit_is_refused_before_it_is_called(
    source: str, changes: dict[str, Any], place: str, message: str, tmp_path: Path
) -> None:
    problems = function.check(calling(tmp_path, source, **changes))
    found = [(".".join(map(str, problem.path)), problem.message) for problem in problems]
    assert any(f"agents.a.{place}" == at and message in text for at, text in found), found


def test_what_fits_is_not_refused(tmp_path: Path) -> None:
    assert [] == function.check(calling(tmp_path))


def test_a_package_below_the_folder_that_was_loaded_by_its_own_name_stays(tmp_path: Path) -> None:
    """A virtual environment may lie beside the config; torch cannot be loaded twice."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "heavy_one.py").write_text("")
    source = f"import sys; sys.path.append({str(tmp_path / 'venv')!r})\nimport heavy_one\n{PLAIN}"
    try:
        assert [] == function.check(calling(tmp_path, source))
        assert "heavy_one" in sys.modules
        assert "mine" not in sys.modules
    finally:
        sys.modules.pop("heavy_one", None)
        sys.path.remove(str(tmp_path / "venv"))

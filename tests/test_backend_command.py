"""The backend `command`: what a program is given, where it runs, how its result is read, and what is refused."""

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from program_builder import outcome, program

from rlaudit.backends import command
from rlaudit.errors import ConfigError
from rlaudit.executors import run_local, run_serial
from rlaudit.seeds import run_seeds
from rlaudit.store import Store
from rlaudit.types import RunRecord, RunSpec

SHOW = """
import json, os, sys
shown = {"argv": sys.argv[1:], "cwd": os.getcwd(), "there": os.listdir(), "python": sys.executable,
         "environment": dict(os.environ), "stdin": sys.stdin.read()}
open("left_behind", "w").close()
print("return=1")
print("SHOWN", json.dumps(shown), file=sys.stderr)
json.dump(shown, open(os.environ["SEEN"], "w"))
"""


@pytest.fixture
def show(tmp_path: Path) -> Any:
    """Runs a command that begins with `python show.py` and tells what the program saw."""
    (tmp_path / "show.py").write_text(SHOW)

    def seen(words: str, **changes: Any) -> dict[str, Any]:
        environment = {"SEEN": "{folder}/seen.json", **changes.pop("environment", {})}
        of = program(tmp_path, f"python show.py {words}", environment=environment, **changes)
        assert [] == command.check(of)
        record = outcome(of)
        assert "done" == record.status, record.error
        return json.loads((tmp_path / "seen.json").read_text())

    return seen


# ---------------------------------------------------------------- what it is given


def test_placeholders_stand_for_the_run(show: Any, tmp_path: Path) -> None:
    seeds = run_seeds(3)
    words = "{seed} {seed.init} {seed.env} {seed.algo} --env={env} {steps} {agent} {task} {folder}/x {lr} {env.size}"
    seen = show(words, task="grid", params={"lr": 3e-4}, env_kwargs={"size": 4})
    expected = ["3", str(seeds.init), str(seeds.env), str(seeds.algo), "--env=Grid-v0", "100", "mine", "grid"]
    assert [*expected, f"{tmp_path}/x", "0.0003", "4"] == seen["argv"]


def test_the_line_is_split_before_placeholders_are_filled_in_so_that_a_value_stays_one_argument(show: Any) -> None:
    nasty = "a b; rm -rf * 'x\" $HOME"
    seen = show("{seed} 'two words' \"{nasty}\" {nasty} --a={nasty}", params={"nasty": nasty})
    assert ["3", "two words", nasty, nasty, f"--a={nasty}"] == seen["argv"]


def test_doubled_braces_are_literal(show: Any) -> None:
    assert ["{seed}", "3", "{}"] == show("{{seed}} {seed} {{}}")["argv"]


def test_a_file_beside_the_config_is_found_and_every_other_word_stays_as_it_is(show: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "maze.txt").write_text("#")
    seen = show("data/maze.txt data new.txt --maze=data/maze.txt {seed}")
    assert [f"{tmp_path}/data/maze.txt", "data", "new.txt", "--maze=data/maze.txt", "3"] == seen["argv"]


def test_python_is_the_interpreter_that_runs_rlaudit(show: Any) -> None:
    assert sys.executable == show("{seed}")["python"]


def test_modules_beside_the_config_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "ppo.py").write_text("print('return=5')")
    assert [5] == outcome(program(tmp_path, "python -m package.ppo {seed}")).final_returns.tolist()


def test_each_run_has_an_empty_folder_of_its_own_that_is_removed_afterwards(show: Any) -> None:
    first, second = show("{seed} {out}"), show("{seed} {out}")
    assert first["cwd"] != second["cwd"]
    assert [] == first["there"] == second["there"]
    assert first["cwd"] == first["argv"][1]
    assert not Path(first["cwd"]).parent.exists()


def test_standard_input_is_empty(show: Any) -> None:
    assert "" == show("{seed}")["stdin"]


def test_variables_are_the_users_own_then_one_thread_and_above_all_what_the_config_says(
    show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "kept")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    seen = show("{seed}", environment={"MKL_NUM_THREADS": 2, "RUN": "{agent} {seed}"})["environment"]
    names = ("MINE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RUN", "PYTHONUNBUFFERED", "PYTHONHASHSEED")
    assert ["kept", "1", "2", "mine 3", "1", "0"] == [seen[name] for name in names]


# ---------------------------------------------------------------- lines on standard output


def printed(tmp_path: Path, text: str, **result: Any) -> RunRecord:
    (tmp_path / "text").write_text(text)
    return outcome(program(tmp_path, "sh -c 'cat \"$0\"' text {seed}", result=result))


def test_lines_with_steps_are_a_learning_curve_whose_last_point_is_the_score(tmp_path: Path) -> None:
    text = "start\nINFO step=50  return=1.5 fps=3\nstep=1e2 return=-2e-1\nend\n"
    record = printed(tmp_path, text, pattern="step={step} return={return}")
    assert [50, 100] == record.eval_steps.tolist()
    assert [[1.5], [-0.2]] == record.eval_returns.tolist()
    assert [-0.2] == record.final_returns.tolist()


def test_one_line_without_steps_is_the_score(tmp_path: Path) -> None:
    record = printed(tmp_path, "return=7\n", pattern="return={return}")
    assert [7] == record.final_returns.tolist()
    assert 0 == len(record.eval_steps)


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("return={return}", "return=12", 12),
        ("return={return}", "return=12.", 12),
        ("return={return}", "return=+.5e1,", 5),
        ("return={return}", "return=12 (best 13)", 12),
        ("return={return}", "return=1,234", None),  # never a part of a number
        ("return={return}", "return=1.5M", None),
        ("return={return}", "return=0x10", None),
        ("return={return}", "mean_return=12", None),  # nor of a word
        ("return={return}", "return: 12", None),
        ("{return}", "12", 12),
        ("{return}", "1,234", None),
        ("{return}", "v2", None),
        ("{return}", "-3", -3),
        ("{return} points", "a-3 points", None),
        ("return=[{return}]", "global_step=8, episodic_return=9 return=[23.]", 23),
        ("score {*}: {return}", "score   of 5 seconds: 8", 8),
        ("return={return}%", "return=50%", 50),
        ("return={return}", "RETURN=12", None),
    ],
)
def test_a_number_is_read_whole_or_not_at_all(pattern: str, line: str, expected: float | None, tmp_path: Path) -> None:
    record = printed(tmp_path, f"{line}\n", pattern=pattern)
    assert ([] if expected is None else [expected]) == record.final_returns.tolist()


@pytest.mark.parametrize(
    ("pattern", "text", "message"),
    [
        ("return={return}", "return=1\nreturn=2\n", "2 lines fit result.pattern, and without {step} it is one score"),
        ("return={return}", "reward=1\n", "no line of its standard output fits result.pattern"),
        ("return={return}", "return=nan\n", "the score is not finite"),
        ("step={step} return={return}", "step=5 return=inf\nstep=9 return=1\n", "the return at step 5 is not finite"),
        ("step={step} return={return}", "step=5 return=1\nstep=5 return=2\n", "step 5 follows step 5"),
        ("step={step} return={return}", "step=5 return=1\nstep=4 return=2\n", "step 4 follows step 5"),
        ("step={step} return={return}", "step=5.5 return=1\n", "found 5.5 as a step, expected a whole number"),
    ],
)
def test_what_lines_cannot_be_is_said_and_the_run_has_failed(
    pattern: str, text: str, message: str, tmp_path: Path
) -> None:
    record = printed(tmp_path, text, pattern=pattern)
    assert "failed" == record.status
    assert message in (record.error or "").splitlines()[-1]
    assert text.splitlines()[-1] in (record.error or "")  # the last lines are shown


def test_training_episodes_are_averaged_over_windows_and_over_the_last_tenth(tmp_path: Path) -> None:
    text = "".join(f"step={step} return={step}\n" for step in (10, 20, 20, 95, 100))
    record = printed(tmp_path, text, pattern="step={step} return={return}", training=True)
    assert [97.5] == record.final_returns.tolist()
    assert [10, 20, 96, 100] == record.eval_steps.tolist()  # windows of two steps, a fiftieth of the 100 planned


def test_a_warning_in_the_middle_of_a_line_tears_no_number(tmp_path: Path) -> None:
    tear = "printf return=12; sleep .1; echo '7 warnings' >&2; sleep .1; echo 3.5"
    record = outcome(program(tmp_path, f'sh -c "{tear}" {{seed}}'))
    assert [123.5] == record.final_returns.tolist()


def test_progress_is_reported_while_the_program_runs(tmp_path: Path) -> None:
    steps: list[int] = []
    of = program(
        tmp_path,
        "sh -c 'for i in 1 2 3; do echo step=$i return=$i; sleep .3; done' {seed}",
        result={"pattern": "step={step} return={return}"},
    )
    list(command.train([of], progress=lambda spec, step: steps.append(step)))
    assert [1, 2, 3] == steps


# ---------------------------------------------------------------- files


def left(tmp_path: Path, files: dict[str, str], **result: Any) -> RunRecord:
    """The outcome of a program that copies these files into its folder."""
    for name, text in files.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return outcome(program(tmp_path, "sh -c 'cp -r {folder}/files/. .' {seed}", result=result))


def test_a_table_of_one_run_needs_neither_agent_nor_seed(tmp_path: Path) -> None:
    record = left(tmp_path, {"results.csv": "step,value\n50,1.5\n100,2\n"}, file="results.csv")
    assert "done" == record.status, record.error
    assert [50, 100] == record.eval_steps.tolist()
    assert [[1.5], [2]] == record.eval_returns.tolist()
    assert [2] == record.final_returns.tolist()
    assert ("mine", 3) == (record.spec.agent, record.spec.seed)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("score\n7\n", {}),
        ("time;score\n1;7\n", {}),
        ("return,loss\n7,1\n", {"score": "return"}),
        ("7\n", {}),
        ("agent,seed,score\nppo,3,7\n", {}),
        ("seed,score\n3,7\n", {}),
        ("agent,score\nppo,7\n", {}),
    ],
)
def test_one_number_is_a_score_in_whatever_table_it_stands(text: str, columns: dict[str, str], tmp_path: Path) -> None:
    record = left(
        tmp_path, {"out/scores.txt": text}, file="out/scores.txt", **({"columns": columns} if columns else {})
    )
    assert "done" == record.status, record.error
    assert [7] == record.final_returns.tolist()


def test_the_file_may_be_named_by_placeholders_or_by_a_glob(tmp_path: Path) -> None:
    files = {"run_3_of_mine.csv": "score\n7\n", "log.txt": "x"}
    for file in ("run_{seed}_of_{agent}.csv", "*.csv", "**/run_*", "{out}/run_3*"):
        record = left(tmp_path, files, file=file)
        assert [7] == record.final_returns.tolist(), record.error


def test_columns_of_training_episodes_are_averaged(tmp_path: Path) -> None:
    files = {"monitor.txt": "t,r\n10,10\n20,20\n95,95\n100,100\n"}
    record = left(tmp_path, files, file="monitor.txt", columns={"step": "t", "value": "r"}, training=True)
    assert "done" == record.status, record.error
    assert [97.5] == record.final_returns.tolist()


@pytest.mark.parametrize(
    ("files", "result", "message"),
    [
        ({"a.txt": "x"}, {"file": "results.csv"}, "the program left no 'results.csv'. It left a.txt"),
        ({"a.csv": "x", "b.csv": "x"}, {"file": "*.csv"}, "'*.csv' fits 2 of its files, expected one: a.csv, b.csv"),
        ({"a.csv": "t,return\n1,2\n"}, {"file": "a.csv"}, "found the columns 't', 'return', expected step"),
        (
            {"a.csv": "t,return\n1,2\n"},
            {"file": "a.csv", "columns": {"step": "t", "value": "retrun"}},
            "no column 'retrun'. Did you mean 'return'?",
        ),
        ({"a.csv": "step,value\n1,2\n1,3\n"}, {"file": "a.csv"}, "is already in a.csv:2"),
        ({"a.csv": "step,value\n1,nan\n"}, {"file": "a.csv"}, "a.csv: no value (nan) in a.csv:2"),
        ({"a.csv": "nan"}, {"file": "a.csv"}, "the score is not finite"),
        ({"a.csv": ""}, {"file": "a.csv"}, "a.csv is empty"),
        ({"a.csv": "step,value\n1,2\n2,3,4\n5"}, {"file": "a.csv"}, "a.csv:3: found 3 cells, expected 2"),
        ({"a.csv": "score\n"}, {"file": "a.csv"}, "no row"),
        ({"a.csv": "agent,seed,score\na,1,2\na,2,3\n"}, {"file": "a.csv"}, "holds 2 runs, expected the one"),
        (
            {"a.csv": "seed,score\n1,2\n"},
            {"file": "a.csv"},
            "says seed 1, but this is seed 3: is the program given",
        ),
        ({"a.csv": "agent,seed,score,status\na,1,2,failed\n"}, {"file": "a.csv"}, "marked failed"),
    ],
)
def test_a_result_that_is_none_is_a_failed_run_that_says_what_was_found(
    files: dict[str, str], result: dict[str, Any], message: str, tmp_path: Path
) -> None:
    record = left(tmp_path, files, **result)
    assert "failed" == record.status
    assert message in (record.error or "")
    assert "rlaudit-run-" not in (record.error or "")  # that folder is gone


LOGS = Path(__file__).parent / "data"  # made with the real tools; see the make.py beside them


@pytest.mark.parametrize(
    ("logs", "result", "score"),
    [
        ("tensorboard/cleanrl/CartPole-v1__ppo__1__1700000001", {"metric": "charts/episodic_return"}, "training"),
        ("tensorboard/cleanrl/CartPole-v1__ppo__1__1700000001", {}, "training"),
        ("tensorboard/sb3/PPO_1", {"format": "tensorboard"}, "evaluations"),
        ("monitor/logs/a2c-3/seed_2", {}, "training"),
        ("zoo/logs/a2c/CartPole-v1_3/evaluations.npz", {}, "evaluations"),
    ],
)
def test_logs_of_real_tools_are_read_by_their_importers(
    logs: str, result: dict[str, Any], score: str, tmp_path: Path
) -> None:
    copy = f"sh -c 'mkdir logs; cp -r {LOGS}/{logs} logs' {{seed}}"
    record = outcome(program(tmp_path, copy, result={"file": "logs/*", **result}, timesteps=5000))
    assert "done" == record.status, record.error
    assert ("mine", 3, "Grid-v0") == (record.spec.agent, record.spec.seed, record.spec.env_id)
    assert len(record.eval_steps) > 2
    Store(tmp_path / "results").add(record)
    if score == "training":  # windows of 100 steps, a fiftieth of what was planned, although the run was shorter
        assert {0} == set((record.eval_steps % 100).tolist())


def test_a_log_that_says_another_seed_in_so_many_words_is_refused(tmp_path: Path) -> None:
    copy = f"cp -r {LOGS}/zoo/logs/a2c/CartPole-v1_3 {{out}}/{{seed}}"
    record = outcome(program(tmp_path, copy, result={"file": "3"}))
    assert "but this is seed 3: is the program given it?" in (record.error or "")


# ---------------------------------------------------------------- records


def test_a_record_goes_into_the_store_and_comes_back(tmp_path: Path) -> None:
    record = left(tmp_path, {"results.csv": "step,value\n50,1.5\n100,2\n"}, file="results.csv")
    store = Store(tmp_path / "results")
    store.add(record)
    store.add(record)
    (again,) = store.records([record.spec])
    np.testing.assert_array_equal(record.eval_returns, again.eval_returns)
    assert record.provenance == again.provenance


def test_provenance_holds_the_hash_of_the_files_that_the_command_names(tmp_path: Path) -> None:
    (tmp_path / "ppo.py").write_text("print('return=1')")
    of = program(tmp_path, "python ppo.py {seed}")
    first = outcome(of).provenance
    (tmp_path / "ppo.py").write_text("print('return=2')")
    second = outcome(of).provenance
    assert 64 == len(first["sha256 of ppo.py"]) == len(second["sha256 of ppo.py"])
    assert first["sha256 of ppo.py"] != second["sha256 of ppo.py"]


def test_serial_one_and_two_workers_give_the_same_records(tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(
        "import random, sys\nrandom.seed(int(sys.argv[1]))\n"
        "for i in range(5): print(f'step={i} return={random.random()}')"
    )
    result = {"pattern": "step={step} return={return}"}
    specs = [program(tmp_path, "python walk.py {seed}", seed, result) for seed in range(4)]

    def curves(records: Any) -> dict[Any, Any]:
        return {record.spec.seed: record.eval_returns.tolist() for record in records}

    serial = curves(run_serial(specs))
    assert 4 == len({str(curve) for curve in serial.values()})
    assert serial == curves(run_local(specs, workers=1)) == curves(run_local(specs, workers=2))


def test_floods_of_output_fill_neither_memory_nor_disk(tmp_path: Path) -> None:
    flood = "yes abcdefghijklmnopqrstuvw | head -c 6000000; head -c 6000000 /dev/zero; echo; echo return=4"
    of = program(tmp_path, f"sh -c '{flood}; {flood.rpartition(';')[0]} >&2' {{seed}}")
    tracemalloc.start()
    record = outcome(of)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [4] == record.final_returns.tolist()
    assert peak < 3_000_000


# ---------------------------------------------------------------- what is refused beforehand


def messages(of: RunSpec) -> list[tuple[str, str]]:
    assert all(("agents", "mine") == problem.path[:2] for problem in command.check(of))
    return [(".".join(map(str, problem.path[2:])), problem.message) for problem in command.check(of)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("true", "takes no seed, so that all of its runs would be one run"),
        ("true {sed}", "{sed} stands for nothing. Did you mean 'seed'?"),
        ("true {seed.evn}", "{seed.evn} stands for nothing. Did you mean 'seed.env'?"),
        ("true {seed} {", "has a single '{'; a literal brace is doubled"),
        ("true {seed} }", "has a single '}'; a literal brace is doubled"),
        ("true '{seed}", "cannot be split into words: No closing quotation"),
        ("true {seed} > out.csv", "'>' needs a shell, and there is none: put it in a script"),
        ("true {seed} # the seed", "holds a comment"),
        ("A=1 true {seed}", "'A=1' is no program; variables stand under `environment`"),
        ("   ", "names no program"),
        ("pyhton3 {seed}", "there is no program 'pyhton3' on the PATH. Did you mean 'python3'?"),
        ("./ppo {seed}", "there is no program './ppo' (relative paths start in"),
        (
            "ppo.py {seed}",
            "'ppo.py' is no program that can be started; name its interpreter (python FILE), or write",
        ),
        ("./ppo.py {seed}", "name its interpreter (python FILE), or chmod +x it"),
        ("python pop.py {seed}", "there is no 'pop.py' in"),
    ],
)
def test_a_wrong_command_is_refused_before_anything_runs(words: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "ppo.py").write_text("")
    found = messages(program(tmp_path, words))
    assert any(place == "command" and message in text for place, text in found), found


@pytest.mark.parametrize(
    ("result", "place", "message"),
    [
        ({}, "result", "names no place of the result"),
        ({"file": "a", "pattern": "{return}"}, "result", "names two places of the result"),
        ({"fiel": "a"}, "result.fiel", "is no key of a result. Did you mean 'file'?"),
        ({"file": 3}, "result.file", "is 3; it must be text"),
        ({"file": "/tmp/a.csv"}, "result.file", "must be a path below the run's own folder"),
        ({"file": "../a.csv"}, "result.file", "must be a path below the run's own folder"),
        ({"file": "{folder}/a.csv"}, "result.file", "must be a path below the run's own folder"),
        ({"file": "a_{sed}.csv"}, "result.file", "{sed} stands for nothing. Did you mean 'seed'?"),
        ({"file": "a", "format": "tidi"}, "result.format", "is no format. Did you mean 'tidy'?"),
        ({"file": "a", "format": "tidy", "metric": "x"}, "result.metric", "means nothing for the format 'tidy'"),
        ({"file": "a", "columns": {"stpe": "t"}}, "result.columns", "it must be like {step: global_step"),
        ({"file": "a", "every": 0}, "result.every", "must be a whole number of steps"),
        ({"file": "a", "training": "yes"}, "result.training", "must be true or false"),
        ({"pattern": "step={step}"}, "result.pattern", "there is no {return} in it"),
        ({"pattern": "{retrun}"}, "result.pattern", "{retrun} is no field of a line. Did you mean 'return'?"),
        ({"pattern": "{return} {return}"}, "result.pattern", "{return} stands there twice"),
        ({"pattern": "{step}{return}"}, "result.pattern", "something must stand between two fields"),
        ({"pattern": "{return}", "columns": {"score": "x"}}, "result.columns", "is about a file"),
        ({"pattern": "{return}", "training": True}, "result.pattern", "holds no {step}, which training episodes need"),
    ],
)
def test_a_wrong_result_is_refused_before_anything_runs(
    result: dict[str, Any], place: str, message: str, tmp_path: Path
) -> None:
    found = messages(program(tmp_path, "true {seed}", result=result))
    assert any(place == at and message in text for at, text in found), found


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"params": {"lr": 1}}, "params.lr", "is never used: the command holds no {lr}"),
        ({"params": {"seed": 1}}, "params.seed", "is a placeholder that has a meaning already"),
        ({"env_kwargs": {"size": 4}}, "command", "leaves out {env.size}, which the task sets to 4"),
        ({"environment": {"A-B": 1}}, "environment.A-B", "is no name of a variable"),
        ({"environment": {"A": [1]}}, "environment.A", "is [1]; it must be text or a number"),
        ({"environment": {"A": "{sed}"}}, "environment.A", "{sed} stands for nothing"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    changes: dict[str, Any], place: str, message: str, tmp_path: Path
) -> None:
    found = messages(program(tmp_path, "true {seed}", **changes))
    assert any(place == at and message in text for at, text in found), found


def test_a_seed_in_a_variable_is_a_seed(tmp_path: Path) -> None:
    assert [] == command.check(program(tmp_path, "true", environment={"SEED": "{seed}"}))


def test_what_cannot_be_filled_in_never_runs(tmp_path: Path) -> None:
    (record,) = run_serial([program(tmp_path, "true {unknown}")])
    assert "failed" == record.status


def test_a_pattern_that_is_none_is_a_config_error() -> None:
    from rlaudit.backends.command_result import compiled

    with pytest.raises(ConfigError, match="something must stand between"):
        compiled("{step}{*}{return}")

"""Tables with other names: columns by flags, labels by the names of files, folders of tables, samples of real tools."""

import time
from pathlib import Path

import pytest

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import Hints, Imported

SAMPLES = Path(__file__).parent / "data" / "tables"
PANDAS = {"agent": "algo", "seed": "run", "step": "timesteps", "value": "return"}
PROGRESS = {"step": "time/total_timesteps", "value": "rollout/ep_rew_mean"}


def _write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def _arms(imported: Imported) -> list[tuple[str, str, int]]:
    return [(arm.agent, arm.task, arm.n_seeds) for arm in imported.reading.arms]


def _plain(imported: Imported) -> dict[tuple[str, object], list[tuple[int, float]]]:
    curves = {
        (one.spec.agent, one.spec.seed): (one.eval_steps.tolist(), one.eval_returns[:, 0].tolist())
        for one in imported.records
    }
    return {run: list(zip(*curve, strict=True)) for run, curve in curves.items()}


def _notes(imported: Imported) -> list[str]:
    return [note.text for note in imported.reading.notes]


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("name", ["tidy.csv.gz", "tidy.jsonl", "records.json", "tidy.parquet"])
def test_what_pandas_writes_is_the_log_of_stable_baselines3_in_other_words(name: str) -> None:
    log = importers.read(SAMPLES / "progress", Hints(columns=PROGRESS))
    assert [("a2c", "", 3), ("a2c_short", "", 3)] == _arms(log)
    assert _plain(log) == _plain(importers.read(SAMPLES / name, Hints(columns=PANDAS)))


@pytest.mark.parametrize("name", ["tidy.csv.gz", "tidy.jsonl", "records.json", "tidy.parquet"])
def test_the_flags_that_an_error_shows_are_all_that_is_needed(name: str) -> None:
    with pytest.raises(ImportFormatError, match=r"no column 'agent'. Did you mean 'algo'") as caught:
        importers.read(SAMPLES / name)
    flags = str(caught.value).splitlines()[-1].removeprefix("Name them: ")
    assert "--agent-column algo --seed-column run --step-column timesteps --value-column return" == flags


def test_the_columns_of_a_log_of_stable_baselines3_are_suggested() -> None:
    with pytest.raises(
        ImportFormatError, match="--step-column time/total_timesteps --value-column rollout/ep_rew_mean"
    ):
        importers.read(SAMPLES / "progress")


def test_the_wide_table_of_pandas_holds_the_last_values_of_its_tidy_one() -> None:
    wide, tidy = importers.read(SAMPLES / "wide.csv"), importers.read(SAMPLES / "tidy.parquet", Hints(columns=PANDAS))
    finals = [
        {(one.spec.agent, one.spec.seed): float(one.final_returns.mean()) for one in read.records}
        for read in (wide, tidy)
    ]
    assert finals[1] == pytest.approx(finals[0], abs=1e-12)


# ---------------------------------------------------------------- columns by flags


def test_a_column_that_another_one_replaces_is_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", "agent,seed,score,normalised\na,0,1,10\na,1,2,20\n")
    read = importers.read(path, Hints(columns={"score": "normalised"}))
    assert [10, 20] == [float(one.final_returns[0]) for one in read.records]


@pytest.mark.parametrize(
    ("columns", "steps"),
    [({"score": "score"}, [[], []]), ({"value": "value"}, [[100], [100]]), ({"value": "score"}, [[100], [100]])],
)
def test_score_and_value_side_by_side_are_told_apart_by_a_flag(
    tmp_path: Path, columns: dict[str, str], steps: list[list[int]]
) -> None:
    path = _write(tmp_path / "x.csv", "agent,seed,step,value,score\na,0,100,1,10\na,1,100,2,20\n")
    read = importers.read(path, Hints(columns=columns))
    assert steps == [one.eval_steps.tolist() for one in read.records]
    assert [10 if "score" in columns.values() else 1] == read.records[0].final_returns.tolist()


@pytest.mark.parametrize(
    ("columns", "fragment"),
    [
        ({"agent": "algos"}, r"x.csv:1: no column 'algos', which --agent-column algos names. Did you mean 'algo'"),
        ({"agent": "algo", "task": "algo"}, "--task-column algo: that column is the agent already"),
        ({"agnet": "algo"}, "'agnet' is not a column of a tidy table. Did you mean 'agent'"),
    ],
)
def test_a_flag_that_does_not_fit_the_table_is_told_why(tmp_path: Path, columns: dict[str, str], fragment: str) -> None:
    path = _write(tmp_path / "x.csv", "algo,seed,score\na,0,1\na,1,2\n")
    with pytest.raises(ImportFormatError, match=fragment):
        importers.read(path, Hints(columns=columns))


def test_a_column_of_environments_is_never_overlooked(tmp_path: Path) -> None:
    """Their runs would be pooled as seeds of one task where no seed is there twice."""
    path = _write(tmp_path / "x.csv", "agent,env,seed,score\na,Hopper,0,1\na,Hopper,1,2\na,Ant,2,3\na,Ant,3,4\n")
    with pytest.raises(ImportFormatError, match=r"no column 'task'. Did you mean 'env'"):
        importers.read(path)
    read = importers.read(path, Hints(columns={"task": "env"}))
    assert [("a", "Hopper", 2), ("a", "Ant", 2)] == _arms(read)
    assert [("a", "all", 4)] == _arms(importers.read(path, Hints(task="all")))


def test_a_table_of_one_agent_gets_its_name_from_the_user(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", "seed,score\n0,1\n1,2\n")
    assert [("PPO", "Ant", 2)] == _arms(importers.read(path, Hints(agent="PPO", task="Ant")))


# ---------------------------------------------------------------- names of files


def test_a_file_a_run_is_read_from_the_names_of_the_files(tmp_path: Path) -> None:
    for agent in ("ppo", "sac"):
        for seed in (3, 4):
            _write(tmp_path / f"{agent}_seed{seed}.csv", f"step,value\n10,{seed}\n")
    read = importers.read(tmp_path)
    assert {("ppo", 3): [(10, 3)], ("ppo", 4): [(10, 4)], ("sac", 3): [(10, 3)], ("sac", 4): [(10, 4)]} == _plain(read)
    assert "the agent is taken from the names of the files or folders: ppo, sac, ..." in _notes(read)


@pytest.mark.parametrize("pattern", ["{agent}-{seed}", "{agent}-{seed}.csv"])
def test_a_pattern_says_what_the_names_mean(tmp_path: Path, pattern: str) -> None:
    for seed in (3, 4):
        _write(tmp_path / f"ppo-{seed}.csv", f"step,value\n10,{seed}\n")
    assert {("ppo", 3): [(10, 3)], ("ppo", 4): [(10, 4)]} == _plain(importers.read(tmp_path, Hints(names=pattern)))


def test_files_of_one_agent_each_need_a_pattern_and_are_not_guessed(tmp_path: Path) -> None:
    paths = [_write(tmp_path / f"{agent}.csv", "seed,score\n0,1\n1,2\n") for agent in ("ppo", "sac")]
    with pytest.raises(ImportFormatError, match=r"--names '\{agent\}'"):
        importers.read(paths)
    assert [("ppo", "", 2), ("sac", "", 2)] == _arms(importers.read(paths, Hints(names="{agent}")))


def test_a_pattern_may_look_at_the_folders_above_a_file(tmp_path: Path) -> None:
    paths = [_write(tmp_path / "ppo" / str(seed) / "log.csv", "step,value\n10,1\n") for seed in (1, 2)]
    assert [("ppo", "", 2)] == _arms(importers.read(paths, Hints(names="{agent}/{seed}/{*}")))


def test_a_pattern_that_contradicts_a_column_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "ppo.csv", "agent,seed,score\nsac,0,1\nsac,1,2\n")
    with pytest.raises(ImportFormatError, match=r"column 'agent' is there; write \{\*\} for \{agent\}"):
        importers.read(path, Hints(names="{agent}"))


def test_other_tables_of_a_folder_are_left_out_and_counted(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "agent,seed,score\na,0,1\na,1,2\n")
    _write(tmp_path / "costs.csv", "machine,euros\nx,3\n")
    read = importers.read(tmp_path)
    assert f"1 of 2 tables, which have other columns: {tmp_path}/costs.csv" in _notes(read)
    assert [("a", "", 2)] == _arms(read)


def test_a_run_in_two_tables_of_a_folder_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        _write(tmp_path / name, "agent,seed,score\na,0,1\na,1,2\n")
    with pytest.raises(ImportFormatError, match=r"b.csv:2: seed 0 of agent 'a' is already in .*a.csv:2"):
        importers.read(tmp_path)


# ---------------------------------------------------------------- recognising


@pytest.mark.parametrize(
    ("name", "content", "formats"),
    [
        ("tidy.csv", "agent,seed,score\na,0,1\n", ["tidy"]),
        ("other.csv", "algo;run;return\na;0;1\n", ["tidy"]),
        ("wide.csv", "seed,ppo,sac\n0,1,2\n", ["wide"]),
        ("seeds.csv", "agent,seed_0,seed_1\na,0,1\n", ["wide"]),
        ("log.csv", "r,l,t\n1,2,3\n", []),
        ("metrics.csv", "seed,return,length\n0,1,2\n", ["tidy"]),
        ("text.csv", "seed,host,user\n0,a,b\n", []),
        ("runs.json", '{"a": {"seed": 0}}', []),
    ],
)
def test_a_table_is_known_by_its_header(tmp_path: Path, name: str, content: str, formats: list[str]) -> None:
    found = importers.fitting(_write(tmp_path / name, content))
    assert formats == [one for one in found if one in ("wide", "tidy")]


def test_a_file_of_no_name_but_an_ending_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "..csv", "agent,seed,score\na,0,1\na,1,2\n")
    assert [("a", "", 2)] == _arms(importers.read(path))


def test_numbers_of_thousands_of_digits_take_no_time(tmp_path: Path) -> None:
    """A search for "mean ± sd" in each cell took the square of its length, and more."""
    start = time.process_time()
    with pytest.raises(ImportFormatError):
        importers.read(_write(tmp_path / "scores.csv", f"agent,run,score\na,0,{'9' * 50_000}\n" + "a,1,2\n"))
    assert time.process_time() - start < 5

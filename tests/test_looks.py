"""Looks at seeds that are added: who is trained next, and what is written down."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import record
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from looks_builder import config_of, records_of, simple_looks, trained

from rlaudit import looks, pipeline, pytest_plugin, sequential, training
from rlaudit.cli import main
from rlaudit.config import load_config
from rlaudit.errors import ConfigError, StoreError
from rlaudit.experiments import audit
from rlaudit.plan import plan as all_runs
from rlaudit.results import Audit, Look, LookState
from rlaudit.store import Store
from rlaudit.types import RunEvent, RunRecord, RunSpec, Verdict

TESTS = Path(__file__).parent
APART = {"sac": 300.0, "td3": 150.0}
NEAR = {"sac": 300.0, "td3": 290.0}
THREE = {"a": 100.0, "b": 100.0 + 5, "c": 300.0}

CONFIG = """\
name: looks
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 100}
  longer: {algo: A2C, timesteps: 150}
seeds: {until: decided, batch: 2, looks: 2}
evaluation: {episodes: 2}
"""


@pytest.fixture(autouse=True)
def _simple_looks() -> Iterator[None]:
    with simple_looks():
        yield


def seeds_of(specs: Sequence[RunSpec]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for spec in specs:
        found.setdefault(spec.agent, []).append(spec.seed)
    return found


# ---------------------------------------------------------------- who is trained next


def test_the_first_batch_comes_first() -> None:
    assert seeds_of(audit.plan(config_of())) == {"sac": [0, 1], "td3": [0, 1]}


def test_the_next_batch_follows_where_nothing_is_decided() -> None:
    config = config_of()
    first = records_of(audit.plan(config), NEAR)
    assert seeds_of(audit.plan(config, first)) == {"sac": [0, 1, 2, 3], "td3": [0, 1, 2, 3]}


def test_nothing_follows_a_winner() -> None:
    config = config_of()
    first = records_of(audit.plan(config), APART)
    assert audit.plan(config, first) == audit.plan(config)


def test_an_agent_whose_pairs_are_settled_trains_no_more() -> None:
    config = config_of(tuple(THREE))
    assert seeds_of([run.spec for run in trained(config, THREE)]) == {
        "a": [*range(8)],
        "b": [*range(8)],
        "c": [0, 1],
    }


def test_failed_seeds_count_as_trained() -> None:
    config = config_of()
    first = records_of(audit.plan(config), NEAR, failed=[0])
    assert len(audit.plan(config, first)) == 8


def test_half_a_batch_is_no_look() -> None:
    config = config_of()
    first = records_of(audit.plan(config), NEAR)
    assert audit.plan(config, first[:3]) == audit.plan(config)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(24)), st.integers(0, 24))
def test_the_order_in_which_runs_finish_is_of_no_account(order: list[int], n: int) -> None:
    config = config_of(tuple(THREE))
    every = records_of(all_runs(config), THREE)
    with simple_looks():
        known = [every[place] for place in order[:n]]
        assert audit.plan(config, known) == audit.plan(config, sorted(known, key=lambda run: run.spec.run_id))


def test_runs_beyond_the_looks_are_of_no_account() -> None:
    config = config_of(tuple(THREE))
    needed = trained(config, THREE)
    assert audit.plan(config, records_of(all_runs(config), THREE)) == tuple(run.spec for run in needed)


def test_runs_have_the_names_that_a_count_of_seeds_gives_them() -> None:
    ids = [spec.run_id for spec in audit.plan(config_of())]
    assert ids == [spec.run_id for spec in all_runs(config_of()) if spec.seed in (0, 1)]


def test_a_count_of_seeds_reads_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(CONFIG)
    config, _ = load_config(path, seeds="3")

    def refused(*_: object) -> Any:
        raise AssertionError("a record was read")

    monkeypatch.setattr(Store, "records", refused)
    assert len(training.planned(config, Store(tmp_path))) == 6


# ---------------------------------------------------------------- real training


def train(path: Path, store: Store, **how: Any) -> list[Look]:
    """Trains what is missing, and gives the looks that were told meanwhile."""
    told: list[Look] = []
    training.train(*load_config(path), store, training.Training(**{"workers": 2, "looked": told.append, **how}))
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "x.yaml").write_text(CONFIG)
    store = Store(folder / "out")
    with simple_looks():
        train(folder / "x.yaml", store)
    return store


def content(store: Store) -> dict[str, object]:
    """All but times."""
    lines = (store.read_text(looks.LOG) or "").splitlines()
    log = [{key: value for key, value in json.loads(line).items() if key != "time"} for line in lines]
    runs = {run.spec.run_id: (run.weights_sha256, run.final_returns.tolist()) for run in store.records()}
    return {"log": log, "runs": runs}


def test_training_stops_by_the_looks_and_tells_each_of_them_once(path: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    told = train(path, store)
    assert [look.number for look in told] == [1, 2]
    assert [one.look for one in looks.log(store)] == told
    assert len(store.records()) == 8
    before = store.read_text(looks.LOG)
    assert train(path, store) == []
    assert store.read_text(looks.LOG) == before


class _Stop(Exception):
    """Somebody presses Ctrl-C."""


@pytest.mark.parametrize("after", [3, 5])
def test_interrupted_with_one_worker_and_resumed_with_two_it_is_the_same_store(
    path: Path, tmp_path: Path, undisturbed: Store, after: int
) -> None:
    store = Store(tmp_path / "out")
    n_finished = 0

    def interrupt(event: RunEvent) -> None:
        nonlocal n_finished
        n_finished += event.kind == "finished"
        if n_finished == after:
            raise _Stop

    with pytest.raises(_Stop):
        train(path, store, workers=1, notify=interrupt)
    train(path, store)
    assert content(store) == content(undisturbed)


PROGRAM = f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS.parent)]!r}
from pathlib import Path
from looks_builder import simple_looks
from rlaudit.cli import main
from rlaudit.config import load_config
from rlaudit.store import Store
from rlaudit.training import Training, train

def tell(event):
    print(event.kind, flush=True)

with simple_looks():
    train(*load_config(Path(sys.argv[1])), Store(Path(sys.argv[2])), Training(workers=2, notify=tell))
"""


def test_killed_after_a_look_it_ends_in_the_store_of_an_undisturbed_run(
    path: Path, tmp_path: Path, undisturbed: Store
) -> None:
    store = Store(tmp_path / "out")
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), str(store.root)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    n_finished = 0
    for line in running.stdout:
        n_finished += line == "finished\n"
        if n_finished == 4 and line == "planned\n":  # of the second batch
            break
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert len(looks.log(store)) == 1
    train(path, store)
    assert content(store) == content(undisturbed)


def test_an_audit_without_training_shows_the_looks_that_are_there(tmp_path: Path, undisturbed: Store) -> None:
    shutil.copytree(undisturbed.root, tmp_path / "out")
    store = Store(tmp_path / "out")
    later = [run.spec for run in store.records() if run.spec.seed == 3]
    for spec in later:
        (directory,) = (store.root / "runs").glob(f"*__{spec.run_id}")
        shutil.rmtree(directory)
    found = pipeline.audit_folder(store.root)
    assert found.sequential is not None
    assert [look.number for look in found.sequential.looks] == [1]
    assert found.sequential.more == (("a2c", "CartPole-v1", 4), ("longer", "CartPole-v1", 4))
    assert found.provenance["missing_runs"] == "2 of 8"
    assert "the runs that are there now give no such look" in found.findings[0].sentence


# ---------------------------------------------------------------- the log


def stored(folder: Path, means: dict[str, float], failed: Sequence[int] = ()) -> tuple[Path, Store]:
    """A results folder with all that the looks call for, and what was written down."""
    path, store = folder / "x.yaml", Store(folder / "out")
    path.write_text(CONFIG.replace("looks: 2", "looks: 3").replace("batch: 2", "batch: 3"))
    config, source = load_config(path)
    records: list[RunRecord] = []
    store.write_text(training.CONFIG, source.yaml())
    while len(specs := audit.plan(config, records)) > len(records):
        records = records_of(specs, means, failed)
        store.add_all(records)
        looks.write_down(config, store)
    return path, store


EQUAL = {"a2c": 100.0, "longer": 100.0}
TOGETHER, ASUNDER = {"a2c": 100.0, "longer": 105.0}, {"a2c": 100.0, "longer": 300.0}


def audited(path: Path, store: Store, *overrides: str) -> Audit:
    return pipeline.audit_target(path, overrides=overrides, out=store.root)[0]


def test_looks_that_stand_raise_no_doubt(tmp_path: Path) -> None:
    found = audited(*stored(tmp_path, ASUNDER))
    assert found.sequential is not None
    assert (found.sequential.overturned, found.sequential.redrawn, found.sequential.first_plan) == ((), (), None)
    assert all(time is not None for time in found.sequential.times)
    assert found.comparisons[0].verdict == Verdict.B_BETTER


def test_a_failed_seed_that_is_trained_again_turns_no_winner_silently(tmp_path: Path) -> None:
    path, store = stored(tmp_path, ASUNDER, failed=[0])
    (again,) = (run.spec for run in store.records() if run.spec.agent == "longer" and run.spec.seed == 0)
    store.add(record(again, final_returns=[-2000.0], weights_sha256="cd" * 32))
    found = audited(path, store)
    assert found.sequential is not None
    (turned,) = found.sequential.overturned
    assert (turned.number, turned.logged, turned.now) == (1, LookState.B_BETTER, LookState.A_BETTER)
    assert found.comparisons[0].verdict == Verdict.UNDECIDED
    assert found.findings[0].sentence.startswith(
        "Look 1 said when it was made: longer is better than a2c on CartPole-v1; the runs that are there now say: a2c"
    )


def test_other_numbers_with_the_same_outcome_are_told(tmp_path: Path) -> None:
    path, store = stored(tmp_path, ASUNDER, failed=[0])
    (again,) = (run.spec for run in store.records() if run.spec.agent == "longer" and run.spec.seed == 0)
    store.add(record(again, final_returns=[310.0], weights_sha256="cd" * 32))
    found = audited(path, store)
    assert found.comparisons[0].verdict == Verdict.B_BETTER
    assert any(one.sentence.startswith("Look 1 has other numbers than when made") for one in found.findings)


@pytest.mark.parametrize(
    ("override", "change"),
    [
        ("seeds.looks=9", "looks was 3, is 9"),
        ("seeds.batch=2", "batch was 3, is 2"),
        ("audit.alpha=0.2", "alpha was 0.05, is 0.2"),
        ("audit.higher_is_better=false", "higher_is_better was True, is False"),
    ],
)
def test_a_design_that_is_changed_after_a_look_names_no_winner(tmp_path: Path, override: str, change: str) -> None:
    path, store = stored(tmp_path, ASUNDER)
    found = audited(path, store, override)
    assert found.comparisons[0].verdict == Verdict.UNDECIDED
    assert change in found.findings[0].sentence


def test_a_pair_that_was_given_up_may_go_on(tmp_path: Path) -> None:
    """Bounds do not count on anybody's giving up, so that no winner is likelier for it."""
    path, store = stored(tmp_path, EQUAL)
    config, _ = load_config(path, ["seeds.futility=false"])
    again = [spec for spec in all_runs(config) if spec.seed in range(3, 6)]
    store.add_all(records_of(again, {"a2c": 100.0, "longer": 900.0}))
    found = audited(path, store, "seeds.futility=false")
    assert found.comparisons[0].verdict == Verdict.B_BETTER
    assert any("futility was 0.1, is None. That names nobody" in one.sentence for one in found.findings)


def test_looks_at_runs_that_were_there_already_are_told(tmp_path: Path) -> None:
    path, store = tmp_path / "x.yaml", Store(tmp_path / "out")
    path.write_text(CONFIG)
    config, _ = load_config(path)
    store.add_all(records_of(all_runs(config), TOGETHER))
    found = audited(path, store)
    assert found.sequential is not None
    assert (found.sequential.in_retrospect, found.sequential.beforehand) == ((1,), False)
    assert any(one.sentence.startswith("Look 1 was made when later seeds were there") for one in found.findings)


def test_tasks_go_in_step(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(CONFIG.replace("task: CartPole-v1", "tasks: [CartPole-v1, Acrobot-v1]"))
    config, _ = load_config(path)
    half = [run for run in records_of(audit.plan(config), TOGETHER) if run.spec.task_label == "CartPole-v1"]
    assert audit.plan(config, half) == audit.plan(config)


def test_looks_at_other_runs_are_another_matter(tmp_path: Path) -> None:
    path, store = stored(tmp_path, TOGETHER)
    config, _ = load_config(path, ["seeds.first=100", "seeds.looks=4"])
    store.add_all(records_of([spec for spec in all_runs(config) if spec.seed in (100, 101, 102)], ASUNDER))
    found = audited(path, store, "seeds.first=100", "seeds.looks=4")
    assert found.comparisons[0].verdict == Verdict.B_BETTER
    assert [one.look.number for one in looks.log(store)] == [1, 2, 3, 1]


def test_lines_are_only_added(tmp_path: Path) -> None:
    path, store = stored(tmp_path, ASUNDER, failed=[0])
    before = store.read_text(looks.LOG)
    (again,) = (run.spec for run in store.records() if run.spec.agent == "longer" and run.spec.seed == 0)
    store.add(record(again, final_returns=[310.0], weights_sha256="cd" * 32))
    looks.write_down(load_config(path)[0], store)
    after = store.read_text(looks.LOG)
    assert before is not None
    assert after is not None
    assert after.startswith(before)
    assert len(after) > len(before)


def test_a_look_is_written_down_once_all_tasks_have_come_to_it(tmp_path: Path) -> None:
    path, store = tmp_path / "x.yaml", Store(tmp_path / "out")
    path.write_text(CONFIG.replace("task: CartPole-v1", "tasks: [CartPole-v1, Acrobot-v1]"))
    config, _ = load_config(path)
    first = records_of(audit.plan(config), TOGETHER)
    store.add_all([run for run in first if run.spec.task_label == "CartPole-v1"])
    assert looks.write_down(config, store) == ()
    store.add_all(first)
    (look,) = looks.write_down(config, store)
    assert [pair.task for pair in look.pairs] == ["CartPole-v1", "Acrobot-v1"]


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    path, store = stored(tmp_path, ASUNDER)
    store.write_text(looks.LOG, '{"time": 1}\n')
    with pytest.raises(StoreError, match=r"looks\.jsonl is damaged"):
        audited(path, store)


# ---------------------------------------------------------------- designs


def test_looks_that_can_name_nobody_are_refused_before_anything_is_trained(path: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    config, source = load_config(path, ["seeds.batch=1"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "next_look", sequential.next_look)
        with pytest.raises(ConfigError, match=r"x\.yaml:6:1: seeds can name no winner among 2 agents"):
            training.train(config, source, store)
    assert not store.root.exists()


# ---------------------------------------------------------------- whoever takes these runs for a fixed number of seeds


def test_a_fixed_number_of_seeds_at_runs_that_were_looked_at_is_told(tmp_path: Path) -> None:
    path, store = stored(tmp_path, ASUNDER)
    found, _ = pipeline.audit_target(path, seeds="3", out=store.root)
    assert found.sequential is None
    assert [one.title for one in found.findings if "looked at while" in one.sentence] == [
        "Looks were made at these runs"
    ]


def test_settings_of_a_fixed_number_are_refused_for_a_folder_with_looks(tmp_path: Path) -> None:
    _, store = stored(tmp_path, ASUNDER)
    assert pipeline.audit(store.root).sequential is not None
    with pytest.raises(ConfigError, match=r"its seeds were added until looks were satisfied.*\(here: margin\)"):
        pipeline.audit(store.root, margin=5.0)


def test_a_plan_made_from_such_runs_says_that_their_gaps_are_too_large(tmp_path: Path) -> None:
    _, store = stored(tmp_path, TOGETHER)
    said = CliRunner().invoke(main, ["plan", str(store.root)]).output
    assert "its gaps are too large on average" in " ".join(said.split())


def test_the_pytest_plugin_wants_a_fixed_number(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seed_runs is for a fixed number of seeds"):
        pytest_plugin._trained(path, (), None, tmp_path, "", 1)

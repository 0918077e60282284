"""`rlaudit export`: the runs of a folder, or of others, in one file for other tools, and what that does not hold."""

from pathlib import Path

import pytest
from builders import record, spec
from click.testing import CliRunner, Result

from rlaudit.cli import main
from rlaudit.config import load_config
from rlaudit.exporters import EXPORTERS
from rlaudit.plan import plan
from rlaudit.store import Store

CURVES = "algo,env,seed,step,value\n" + "".join(
    f"{agent},{task},{seed},{step},{seed + step}\n"
    for agent in ("ppo", "a2c") for task in ("Hopper", "Walker") for seed in range(3) for step in (10, 20)
)  # fmt: skip
NAMES = ("--agent-column", "algo", "--task-column", "env")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("logs.csv").write_text(CURVES)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def said(result: Result) -> str:
    """In one line, whatever the terminal's width."""
    return " ".join(result.output.split())


def test_a_results_folder_becomes_a_file_and_what_is_left_out_is_said() -> None:
    Store(Path("results")).add_all([record(spec(seed)) for seed in range(3)])
    done = run("export", "results", "--to", "out/scores.csv")
    assert 0 == done.exit_code
    assert "Wrote out/scores.csv as tidy.csv: 1 agent x 1 task x 3 seeds x 2 points; 3 runs." in said(done)
    assert "left out Training episodes, the lengths of episodes and how the runs were trained" in said(done)
    assert 1 + 3 * 2 * 2 == len(Path("out/scores.csv").read_text().splitlines())


def test_results_of_others_are_read_with_the_hints_and_what_was_understood_is_said() -> None:
    done = run("export", "logs.csv", "--to", "rliable.npz", *NAMES, "--skip", "Walker")
    assert "2 agents x 1 task x 3 seeds x 2 points; 6 runs." in said(done)
    assert "left out 'Walker', as --skip asks." in said(done)


def test_an_import_and_its_source_give_the_same_file() -> None:
    run("import", "logs.csv", *NAMES)
    run("export", "results/logs", "--to", "a.csv")
    run("export", "logs.csv", "--to", "b.csv", *NAMES)
    assert Path("a.csv").read_text() == Path("b.csv").read_text()
    assert CURVES.partition("\n")[2] == Path("a.csv").read_text().partition("\n")[2].replace(".0\n", "\n")


def test_agents_and_tasks_of_a_results_folder_may_be_left_out() -> None:
    run("import", "logs.csv", *NAMES)
    assert "1 agent x 1 task" in said(
        run("export", "results/logs", "--to", "a.json", "--skip", "a2c", "--skip", "Hopper")
    )
    nearest = run("export", "results/logs", "--to", "a.json", "--skip", "Hoper")
    assert 2 == nearest.exit_code
    assert "--skip 'Hoper': there is no agent or task of that name. Did you mean 'Hopper'?" in said(nearest)


def test_hints_that_a_results_folder_does_not_need_are_refused() -> None:
    run("import", "logs.csv", *NAMES)
    refused = run("export", "results/logs", "--to", "a.csv", "--every", "10")
    assert 2 == refused.exit_code
    assert "a results folder of rlaudit says itself what it holds: leave out --every" in said(refused)


def test_failed_runs_are_counted() -> None:
    Path("scores.csv").write_text("agent,seed,score,status\na,0,1,done\na,1,,failed\n")
    assert "2 runs, 1 of them failed." in said(run("export", "scores.csv", "--to", "out.npz"))


def test_planned_runs_that_are_not_there_are_told() -> None:
    config = Path("results/x/config.yaml")
    config.parent.mkdir(parents=True)
    config.write_text("name: x\ntask: CartPole-v1\nseeds: 3\nagents: {a: {algo: A2C, timesteps: 200}}\n")
    Store(config.parent).add_all([record(one) for one in plan(load_config(config)[0])[:2]])
    assert "doubt 1 of 3 planned runs are not trained yet." in said(run("export", "results/x", "--to", "a.csv"))


@pytest.mark.parametrize("target", ["scores.xls", "nowhere"])
def test_an_ending_without_a_format_is_refused_before_anything_is_read(target: str) -> None:
    refused = run("export", "missing-folder", "--to", target)
    assert 2 == refused.exit_code
    assert "the ending of a name says the format" in said(refused)


def test_what_a_format_cannot_hold_is_one_message_and_no_file() -> None:
    Path("scores.csv").write_text("agent,task,seed,score\na,x,0,1\na,x,1,2\na,y,0,1\n")
    refused = run("export", "scores.csv", "--to", "out.npz")
    assert 2 == refused.exit_code
    assert "a has 2 runs on x and 1 runs on y" in said(refused)
    assert not Path("out.npz").exists()


def test_every_exporter_is_listed_and_named_in_the_help() -> None:
    assert list(EXPORTERS) == [line.split()[0] for line in run("list", "exporters").output.splitlines()]
    help_text = said(run("export", "--help"))
    assert all(name in help_text for name in ("tidy.csv", "tidy.parquet", "rliable.npz", "marl-eval.json"))

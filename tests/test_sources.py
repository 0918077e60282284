"""`experiment: sources`, from its config to its report."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sources_builder import CHAOS, MAINS, NOISY, audited, config, crossed, returns_of

from rlaudit import pipeline
from rlaudit.config import load_config
from rlaudit.errors import ConfigError, NotEnoughSeeds
from rlaudit.experiments.sources import analyze, plan
from rlaudit.findings import exit_code
from rlaudit.outputs import scores_csv
from rlaudit.report import render, sections
from rlaudit.report.first_screen import first_screen
from rlaudit.results import Audit, Sources, from_json, to_json
from rlaudit.seeds import run_seeds
from rlaudit.store import directory_name
from rlaudit.types import Level

SHORT = """
name: crossed
experiment: sources
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 40, n_envs: 2}
seeds: 2
evaluation: {episodes: 2}
"""


def only(audit: Audit) -> Sources:
    (one,) = audit.sources
    return one


def titles(audit: Audit) -> list[str]:
    return [finding.title for finding in audit.findings]


# ---------------------------------------------------------------- plan


def test_every_level_of_each_stream_meets_every_level_of_the_others() -> None:
    specs = plan(config((2, 3, 4)))
    assert 24 == len(specs) == len({spec.run_id for spec in specs})
    assert [2, 3, 4] == [len({getattr(spec.seeds, stream) for spec in specs}) for stream in ("init", "env", "algo")]


def test_a_stream_is_that_of_the_ordinary_run_with_this_seed() -> None:
    specs = {spec.seed: spec for spec in plan(config((2, 3, 2)))}
    found = specs["init1-env2-algo0"].seeds
    assert (run_seeds(1).init, run_seeds(2).env, run_seeds(0).algo) == (found.init, found.env, found.algo)


def test_more_levels_rename_no_run() -> None:
    few, many = ({spec.run_id for spec in plan(config(shape))} for shape in ((2, 2, 2), (3, 2, 4)))
    assert few < many


def test_a_run_has_a_folder_that_says_which_it_is() -> None:
    spec = plan(config((2, 2, 2)))[1]
    assert directory_name(spec).startswith("a2c__seedinit0-env0-algo1__")


# ---------------------------------------------------------------- config


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "crossed.yaml"
    path.write_text(text)
    return path


def test_levels_are_the_seeds_unless_the_block_says_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, SHORT + 'sources: {init: 3, algo: "5-6"}')
    found, _ = load_config(path)
    assert ((0, 1, 2), (0, 1), (5, 6)) == found.sources.levels(found.seeds)


COMMAND = "python a.py {seed.init} {seed.env} {seed.algo}"


@pytest.mark.parametrize(
    ("agent", "more", "expected"),
    [
        ("{train: 'a:b', timesteps: 4}", "", "is given one seed, and `experiment: sources` varies three"),
        ("{command: 'python a.py {seed}', timesteps: 4}", "", "does not take {seed.init} and {seed.env} and"),
        (f"{{command: '{COMMAND} {{seed}}', timesteps: 4}}", "", "takes {seed}, but a run of `experiment: sources`"),
        ("{algo: A2C, timesteps: 4}", "sources: {init: 1}", "sources.init = 1 makes 1 seed"),
        ("{algo: A2C, timesteps: 4}", "sources: {inti: 3}", "Did you mean 'init'?"),
        ("{algo: A2C, timesteps: 4}", "sources: {init: 50000, env: 3}", "makes 50000 x 3 x 2 = 300,000 runs"),
        ("{algo: A2C, timesteps: 4}", "audit: {claims: ['a > b']}", "are not judged by `experiment: sources`"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(tmp_path: Path, agent: str, more: str, expected: str) -> None:
    text = SHORT.replace("{algo: A2C, timesteps: 40, n_envs: 2}", agent).replace("evaluation: {episodes: 2}\n", "")
    with pytest.raises(ConfigError) as error:
        load_config(written(tmp_path, text + more))
    assert expected in str(error.value)


def test_a_command_that_takes_three_seeds_is_fine(tmp_path: Path) -> None:
    text = SHORT.replace("{algo: A2C, timesteps: 40, n_envs: 2}", f"{{command: '{COMMAND}', timesteps: 4}}")
    found, _ = load_config(written(tmp_path, text.replace("evaluation: {episodes: 2}\n", "")))
    assert 8 == len(plan(found))


# ---------------------------------------------------------------- analysis


def test_shares_of_the_streams_are_found() -> None:
    """The true ones are .3 each; 9 degrees of freedom leave a standard error of .12."""
    one = only(audited(returns_of(MAINS, (10, 10, 10))))
    assert all(stream.alone.low < 0.3 < stream.alone.high for stream in one.streams)
    assert 1 == pytest.approx(sum(component.of_total.share for component in one.components))
    assert 100 == pytest.approx(one.sd, rel=0.35)
    assert (1000, 20, 0, 0) == (one.n_analysed, one.n_episodes, one.n_failed, one.n_missing)


def test_what_is_left_when_a_stream_is_fixed_is_all_but_what_it_explains_alone() -> None:
    one = only(audited(returns_of(CHAOS)))
    for stream in one.streams:
        assert 1 == pytest.approx(stream.alone.share + stream.without_this.share)
        with_it = [each.of_total.share for each in one.components if stream.stream in each.streams or not each.streams]
        assert sum(with_it) == pytest.approx(stream.only_this.share)


def test_no_interval_of_a_mean_is_given() -> None:
    audit = audited(returns_of(CHAOS))
    assert ((), (), ()) == (audit.arms, audit.comparisons, audit.splits)


def test_scores_that_are_no_final_evaluation_leave_the_noise_in_the_interaction() -> None:
    one = only(audited(returns_of(CHAOS), score="auc"))
    assert (None, None, 7) == (one.n_episodes, one.noise, len(one.components))


def test_one_episode_a_run_leaves_the_noise_in_the_interaction() -> None:
    audit = audited(returns_of(CHAOS, episodes=1))
    assert only(audit).noise is None
    assert "or to their evaluation" in audit.findings[0].sentence + render(audit)


def test_a_failed_run_costs_a_level_and_is_counted_as_the_worst_beside() -> None:
    returns = returns_of(CHAOS)
    returns[1, 2, 3] = np.nan
    audit = audited(returns)
    one = only(audit)
    assert (1, 124, 100, 24) == (one.n_failed, len(one.runs) - 1, one.n_analysed, one.n_left_out)
    assert 1 == len(one.dropped)
    assert 8 == len(one.imputed) == len(one.components)
    assert np.nanmin(returns.mean(axis=3)) == pytest.approx(one.floor)
    assert "Runs are missing from the design" in titles(audit)
    assert 4 == exit_code(audit, gate=False)


def test_runs_that_are_not_trained_yet_are_named_and_not_imputed() -> None:
    runs = [run for run in crossed(returns_of(CHAOS)) if run.spec.seed != "init0-env0-algo4"]
    one = only(analyze(runs, config()))
    assert (1, 0, None, ()) == (one.n_missing, one.n_failed, one.floor, one.imputed)
    assert 100 == one.n_analysed


def test_nothing_is_said_where_no_two_levels_of_each_met() -> None:
    returns = returns_of(CHAOS, (2, 2, 2))
    returns[0, 0, 0] = np.nan
    audit = audited(returns)
    assert "Nothing can be said" in titles(audit)
    assert Level.UNSAFE == audit.findings[0].level
    assert render(audit)


def test_equal_scores_have_no_variance_to_take_apart() -> None:
    audit = audited(np.full((3, 3, 3, 4), 500.0))
    assert "No variance" in titles(audit)
    assert (500.0, 0.0, ()) == (only(audit).mean, only(audit).sd, only(audit).components)
    assert render(audit)


def test_a_seed_that_nothing_uses_is_told() -> None:
    runs = [replace(run, weights_sha256=str(run.spec.seeds.init)) for run in crossed(returns_of(NOISY))]
    assert [False, True, True] == [stream.unused for stream in only(analyze(runs, config())).streams]


def test_a_seed_of_which_one_level_is_trained_is_not_called_unused() -> None:
    runs = [run for run in crossed(returns_of(NOISY)) if "algo0" in str(run.spec.seed)]
    assert () == only(analyze(runs, config())).streams


def test_where_every_run_failed_nothing_is_said() -> None:
    audit = audited(np.full((2, 2, 2, 3), np.nan))
    assert [Level.UNSAFE, Level.WARN] == [finding.level for finding in audit.findings]
    assert render(audit)


def test_no_runs_are_an_error() -> None:
    with pytest.raises(NotEnoughSeeds, match="no runs"):
        analyze([], config())


# ---------------------------------------------------------------- findings


@pytest.mark.parametrize(
    ("shares", "shape", "title"),
    [
        (CHAOS, (10, 10, 10), "No single source"),
        ((0.9, 0.02, 0.02, 0.0, 0.0, 0.0, 0.04, 0.02), (20, 5, 5), "One source stands out"),
        (NOISY, (10, 10, 10), "Mostly noise of evaluation"),
        (MAINS, (3, 3, 3), "Not clear where the variance comes from"),
    ],
)
def test_the_first_finding_says_what_the_numbers_carry(
    shares: Sequence[float], shape: tuple[int, int, int], title: str
) -> None:
    audit = audited(returns_of(shares, shape))
    assert title == audit.findings[0].title


def test_more_episodes_are_advised_only_where_their_noise_counts() -> None:
    quiet, noisy = (audited(returns_of(shares, (6, 6, 6))) for shares in (CHAOS, NOISY))
    assert "Evaluations are no bottleneck" in titles(quiet)
    assert "Noisy evaluations" in titles(noisy)


def test_a_fixed_seed_is_worth_what_the_stream_explains_alone() -> None:
    audit = audited(returns_of(CHAOS))
    (finding,) = [one for one in audit.findings if one.title == "What a fixed seed buys"]
    assert only(audit).streams[0].without_this.share ** 0.5 == pytest.approx(finding.evidence["init_share"])


# ---------------------------------------------------------------- report


def test_the_section_stands_in_the_report_and_those_about_independent_seeds_do_not() -> None:
    audit = audited(returns_of(CHAOS))
    assert ["sources", "runs"] == [section.id for section in sections(audit)]
    assert 2 == len(sections(audit)[0].figures) == len(first_screen(audit).pictures)
    assert 4 == len(first_screen(audit).key_figures)


def test_the_table_of_runs_lists_every_run() -> None:
    returns = returns_of(CHAOS, (3, 3, 3))
    returns[0, 0, 0] = np.nan
    runs = sections(audited(returns))[-1]
    assert 27 == len(runs.tables[0].rows)
    assert "27 runs stand behind this report, 1 of them without a score." == runs.answer[0]


def test_the_csv_has_a_column_for_each_seed_and_does_not_pass_for_independent_runs(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(scores_csv(audited(returns_of(CHAOS, (2, 2, 2)))))
    assert "agent,task,init,env,algo,score,status" == (tmp_path / "scores.csv").read_text().splitlines()[0]
    with pytest.raises(Exception, match="seed"):
        pipeline.load_scores(tmp_path / "scores.csv")


def test_json_gives_the_audit_back() -> None:
    audit = audited(returns_of(CHAOS, (3, 2, 2)))
    assert audit.sources == from_json(to_json(audit)).sources


# ---------------------------------------------------------------- with real runs


def test_a_config_is_trained_taken_apart_and_reported(tmp_path: Path) -> None:
    audit, report = pipeline.audit_target(written(tmp_path, SHORT), out=tmp_path / "out")
    one = only(audit)
    assert (8, 8, 2) == (len(one.runs), len({run.weights_sha256 for run in one.runs}), one.n_episodes)
    assert "Where does the variance come from?" in report.read_text()
    assert "sources" == json.loads((report.parent / "audit.json").read_text())["experiment"]
    assert one == only(pipeline.audit_folder(tmp_path / "out"))
    shutil.rmtree(next((tmp_path / "out" / "runs").iterdir()))
    rest = pipeline.audit_folder(tmp_path / "out")
    assert (1, 7, None) == (only(rest).n_missing, len(only(rest).runs), only(rest).together)


PROGRAM = """
import sys
init, env, algo = map(int, sys.argv[2:])
open(sys.argv[1] + "/result.csv", "w").write(f"score\\n{init % 100 + env % 10}\\n")
"""


def test_a_program_that_takes_three_seeds_is_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "three.py").write_text(PROGRAM)
    agent = (
        "{command: 'python three.py {out} {seed.init} {seed.env} {seed.algo}', timesteps: 4, "
        "result: {file: result.csv}}"
    )
    text = SHORT.replace("{algo: A2C, timesteps: 40, n_envs: 2}", agent).replace("evaluation: {episodes: 2}\n", "")
    audit, _ = pipeline.audit_target(written(tmp_path, text), out=tmp_path / "out")
    weights, environment, sampling = only(audit).streams
    assert 0 == sampling.alone.share < environment.alone.share < weights.alone.share
    assert 1 == pytest.approx(weights.alone.share + environment.alone.share)
    assert not any(stream.unused for stream in only(audit).streams)  # a program's weights are not known

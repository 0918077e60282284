"""From a config to a report, through the real command line, with real (small) training."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_data import finals

pytestmark = pytest.mark.slow

CONFIG = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 400, n_envs: 2}
  ppo: {algo: PPO, timesteps: 256, params: {n_steps: 128, batch_size: 64}}
seeds: 4
evaluation: {every: 200, episodes: 3}
audit: {group_sizes: [2], margin: 5, splits: 200, claims: ["a2c >= ppo - 400"]}
"""


def rlaudit(*words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "rlaudit", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert code == run.returncode, run.stderr
    return run


def weights(folder: Path) -> dict[str, str]:
    metas = (json.loads(path.read_text()) for path in folder.glob("runs/*/meta.json"))
    return {f"{meta['spec']['agent']} {meta['spec']['seed']}": meta["weights_sha256"] for meta in metas}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(CONFIG)
    rlaudit("audit", "small.yaml", "--workers", 2, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def audit(audited: Path) -> dict[str, Any]:
    return json.loads((audited / "results/small/audit.json").read_text())


def test_a_results_folder_holds_what_is_promised(audited: Path) -> None:
    found = {path.name for path in (audited / "results/small").iterdir()}
    assert {"config.yaml", "events.jsonl", "runs", "scores.csv", "audit.json", "report.html"} == found
    assert 8 == len(weights(audited / "results/small"))


def test_the_same_config_gives_the_same_weights_and_the_same_audit_for_any_number_of_workers(audited: Path) -> None:
    rlaudit("audit", "small.yaml", "--workers", 1, "--out", "again", cwd=audited)
    assert weights(audited / "results/small") == weights(audited / "again")
    first, second = (audited / place / "audit.json" for place in ("results/small", "again"))
    assert first.read_text() == second.read_text()
    assert (audited / "results/small/report.html").read_text() == (audited / "again/report.html").read_text()


def test_an_audit_that_runs_again_trains_nothing(audited: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in audited.glob("results/small/runs/*/meta.json")}
    rlaudit("audit", "small.yaml", cwd=audited)
    assert stamps == {path: path.stat().st_mtime_ns for path in audited.glob("results/small/runs/*/meta.json")}


def test_a_results_folder_is_audited_like_its_config(audited: Path, audit: dict[str, Any]) -> None:
    run = rlaudit("audit", "results/small", "--json", "--out", "elsewhere", cwd=audited)
    again = json.loads(run.stdout)
    assert {**again, "provenance": None} == {**audit, "provenance": None}


def test_the_scores_are_read_back_as_a_table(audited: Path, audit: dict[str, Any]) -> None:
    run = rlaudit("audit", "results/small/scores.csv", "-s", "audit.group_sizes=[2]", "--json", cwd=audited)
    again = json.loads(run.stdout)
    assert [arm["scores"] for arm in audit["arms"]] == [arm["scores"] for arm in again["arms"]]


def test_missing_runs_of_a_folder_are_told(audited: Path) -> None:
    rlaudit("audit", "small.yaml", "--seeds", "6", "--out", "more", "-q", cwd=audited)
    (victim, *_) = (audited / "more/runs").iterdir()
    for path in victim.iterdir():
        path.unlink()
    victim.rmdir()
    assert "1 of 12 planned runs are missing" in rlaudit("audit", "more", cwd=audited).stdout.replace("\n       ", " ")


def test_the_audit_carries_the_promised_names(audit: dict[str, Any]) -> None:
    assert "rlaudit.audit/1" == audit["schema"]
    assert "audit" == audit["experiment"]
    arm, split, pair, finding = (audit[key][0] for key in ("arms", "splits", "comparisons", "findings"))
    assert {"agent", "task", "n_seeds", "n_failed", "mean", "sd", "median", "iqm", "low", "high"} <= arm.keys()
    names = {"agent", "task", "group_size", "n_splits", "exhaustive", "n_effective", "gap", "relative_gap", "tests"}
    assert names <= split.keys()
    assert {"median", "p95", "max"} == split["gap"].keys() == split["relative_gap"].keys()
    tests = {"welch", "student", "permutation", "bootstrap_percentile", "bootstrap_expanded", "mann_whitney"}
    assert tests == split["tests"].keys() == pair["tests"].keys() == pair["subsets"][0]["tests"].keys()
    assert {"rate", "low", "high", "expected", "min_p"} <= split["tests"]["welch"].keys()
    assert {"a", "b", "task", "effect", "low", "high", "p_a_better", "verdict", "subsets"} <= pair.keys()
    assert {"statistic", "df", "p_value"} <= pair["tests"]["welch"].keys()
    assert {"right", "wrong", "undecided", "type_m"} <= pair["subsets"][0]["tests"]["welch"].keys()
    assert {"group_size", "wrong_sign"} <= pair["subsets"][0].keys()
    assert {"power", "n", "low", "high"} == pair["seeds_needed"].keys()
    assert {"title", "sentence", "level", "evidence"} <= finding.keys()


def test_each_run_carries_its_weights_hash_into_the_audit(audited: Path, audit: dict[str, Any]) -> None:
    stored = weights(audited / "results/small")
    for arm in audit["arms"]:
        assert [stored[f"{arm['agent']} {seed}"] for seed in arm["seeds"]] == arm["weights_sha256"]


def test_a_report_is_drawn_again_from_the_audit_alone(audited: Path) -> None:
    first = (audited / "results/small/report.html").read_text()
    rlaudit("report", "results/small", "--out", "again.html", "--figures", cwd=audited)
    assert first == (audited / "again.html").read_text()
    figures = list((audited / "results/small/figures").glob("*.svg"))
    assert len(figures) >= 8
    assert all("--paper: #" in path.read_text() for path in figures)


def test_bad_hyper_parameters_stop_before_anything_is_trained_or_written(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(CONFIG.replace("n_steps: 128", "n_stepz: 128"))
    run = rlaudit("audit", "bad.yaml", cwd=tmp_path, code=2)
    assert "bad.yaml:5:" in run.stderr
    assert "Did you mean 'n_steps'?" in run.stderr
    assert [tmp_path / "bad.yaml"] == list(tmp_path.iterdir())


def test_sac_and_td3_go_from_a_table_to_the_published_numbers(tmp_path: Path) -> None:
    rows = [f"{agent.upper()},{seed},{score}" for agent in ("sac", "td3") for seed, score in enumerate(finals(agent))]
    (tmp_path / "colas.csv").write_text("\n".join(["agent,seed,score", *rows]))
    audit = json.loads(rlaudit("audit", "colas.csv", "--json", cwd=tmp_path).stdout)
    (pair,) = audit["comparisons"]
    assert "a_better" == pair["verdict"]
    assert 9.112843603500535 == pytest.approx(pair["tests"]["welch"]["statistic"], rel=1e-9)
    assert 376.42834 == pytest.approx(pair["tests"]["welch"]["df"], rel=1e-6)
    assert 30884 == pair["tests"]["mann_whitney"]["statistic"]
    assert [12181.678625, 10953.844144] == pytest.approx([arm["iqm"] for arm in audit["arms"]], rel=1e-9)
    sac = {split["group_size"]: split["tests"] for split in audit["splits"] if split["agent"] == "SAC"}
    for n, rate in {2: 0.0192, 3: 0.0234, 5: 0.0243, 10: 0.0253, 20: 0.0312}.items():
        assert rate == pytest.approx(sac[n]["welch"]["rate"], abs=0.006)  # 10,000 splits
    power = {subset["group_size"]: subset["tests"]["welch"]["right"] for subset in pair["subsets"]}
    for n, right in {5: 0.302, 10: 0.637, 20: 0.838, 50: 0.978}.items():
        assert right == pytest.approx(power[n], abs=0.012)  # 10,000 draws


def test_a_loose_end_in_a_table_leaves_no_files_behind(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("agent,seed,score\na,0,1\na,1,inf\n")
    run = rlaudit("audit", "scores.csv", cwd=tmp_path, code=2)
    assert re.search(r"scores\.csv:3", run.stderr)
    assert "Traceback" not in run.stderr
    assert [tmp_path / "scores.csv"] == list(tmp_path.iterdir())


def test_two_copies_of_one_agent_are_not_told_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{agent},{seed},{score}" for agent in "ab" for seed, score in enumerate(rng.normal(100, 30, 10))]
    (tmp_path / "null.csv").write_text("\n".join(["agent,seed,score", *rows]))
    audit = json.loads(rlaudit("audit", "null.csv", "--gate", "--json", cwd=tmp_path, code=3).stdout)
    assert "undecided" == audit["comparisons"][0]["verdict"]

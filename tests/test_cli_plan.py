"""`rlaudit plan`, as people and scripts meet it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from shared_data import finals

from rlaudit.cli import main

QUICKSTART = Path(__file__).parents[1] / "results" / "quickstart"
CONFIG = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 200, n_envs: 2}
  ppo: {algo: PPO, timesteps: 128, params: {n_steps: 64}}
seeds: 4
evaluation: {every: 100, episodes: 2}
audit: {group_sizes: [2], margin: 25, tests: [welch, permutation]}
"""
TABLE = "agent,seed,score\n" + "".join(f"{a},{s},{10 * (a == 'b') + s}\n" for a in "ab" for s in range(6))
PPO, A2C = ("--pilot", "ppo: 247 +- 145, 20 seeds"), ("--pilot", "a2c: 186 ± 120, 20 seeds")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test stands in an empty folder with a config and a table."""
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(CONFIG)
    Path("scores.csv").write_text(TABLE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("plan", *arguments))


def numbers(*arguments: str) -> dict:  # type: ignore[type-arg]
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def words(result: Result) -> str:
    """The text without its line breaks."""
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


# ---------------------------------------------------------------- configs


def test_plan_prices_a_config_and_trains_nothing_into_the_store() -> None:
    before = files()
    text = words(run("x.yaml"))
    assert "small: 2 agents x 1 task x 4 seeds = 8 runs; 0 stored in results/small, 8 missing" in text
    assert "from pilots of" in text
    assert "of CPU for what is missing" in text
    assert "2 against 2 seeds: permutation can never reach p < 0.05 (at best 0.33)" in text
    assert files() == before


def test_plan_without_a_pilot_says_that_it_does_not_know() -> None:
    text = words(run("x.yaml", "--no-pilot"))
    assert "What the missing runs cost is not known" in text
    assert "CPU-minutes" not in text.partition("a true gain")[0]


def test_a_price_that_is_given_needs_no_pilot() -> None:
    text = words(run("x.yaml", "--cost", "2"))
    assert "(as given)" in text
    assert "About 16 min of CPU for what is missing" in text


# ---------------------------------------------------------------- what exists


def test_the_stored_runs_of_the_quickstart_are_pilot_and_price() -> None:
    shutil.copytree(QUICKSTART, "stored")
    found = numbers("stored", "--budget", "10", "--claim", "a2c == a2c-norm within 100")
    assert [20, 20] == [arm["n_seeds"] for arm in found["arms"]]
    bought = found["purchases"][0]
    spent = sum((bought["n_seeds"] - 20) * arm["minutes"] for arm in found["arms"])
    assert spent <= 10 < spent + sum(arm["minutes"] for arm in found["arms"])
    assert 2 * (bought["n_seeds"] - 20) == bought["n_runs"]
    claim = found["claims"][0]
    assert ("==", 100.0, 20) == (
        claim["relation"],
        claim["margin"],
        claim["reaches"][0]["n_a"] - bought["n_seeds"] + 20,
    )


def test_sac_against_td3_needs_the_seeds_that_their_own_scores_say() -> None:
    rows = [f"{agent},{seed},{score}" for agent in ("sac", "td3") for seed, score in enumerate(finals(agent))]
    Path("cheetah.csv").write_text("\n".join(["agent,seed,score", *rows]))
    claim = numbers("cheetah.csv")["claims"][0]
    assert "sac > td3" == claim["text"]
    assert 0.929 == pytest.approx(claim["gap_in_sd"], abs=0.001)
    assert 17 == pytest.approx(claim["need"]["n"], abs=2)  # .838 at n = 20; 20 by the formula for normal seeds
    assert ["reachable"] * len(claim["reaches"]) == [reach["state"] for reach in claim["reaches"]]
    assert "which are there" in words(run("cheetah.csv"))


def test_a_table_without_prices_counts_seeds() -> None:
    text = words(run("scores.csv"))
    assert "b > a" in text  # the direction seen
    assert "What a run costs is not known; --cost MINUTES turns seeds into budgets." in text


def test_the_worse_of_two_losses_is_the_higher_one() -> None:
    assert ["a > b"] == [
        claim["text"] for claim in numbers("scores.csv", "-s", "audit.higher_is_better=false")["claims"]
    ]
    claim = numbers("scores.csv", "-s", "audit.higher_is_better=false", "--claim", "a > b")["claims"][0]
    assert -10 == claim["gap"]
    assert claim["reaches"][-1]["power"] > 0.99
    assert 0.001 > numbers("scores.csv", "--claim", "a > b")["claims"][0]["reaches"][-1]["power"]


def test_many_pairs_are_told_by_the_first_two_of_each_task() -> None:
    rng = np.random.default_rng(0)
    rows = [f"agent{a},task{t},{s},{rng.normal(a, 1)}" for a in range(4) for t in range(12) for s in range(5)]
    Path("many.csv").write_text("\n".join(["agent,task,seed,score", *rows]))
    found = numbers("many.csv")
    assert (10, 72) == (len(found["claims"]), found["n_family"])
    text = words(run("many.csv"))
    assert "Of 72 pairs the first place against the second on each task" in text
    assert "72 comparisons share alpha = 0.05 (Holm 1979). Each is planned at alpha / 72" in text


def test_names_are_shown_as_text() -> None:
    Path("scores.csv").write_text(TABLE.replace("b,", "\x1b[31m" + "b" * 90 + ","))
    result = run("scores.csv")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


# ---------------------------------------------------------------- printed numbers


def test_means_and_sds_are_enough() -> None:
    found = numbers(*PPO, *A2C, "--cost", "2", "--cost", "a2c=1", "--budget", "228")
    claim = found["claims"][0]
    assert ("ppo > a2c", 61.0) == (claim["text"], claim["gap"])
    assert 76 == found["purchases"][0]["n_seeds"]  # 76 x (2 + 1) minutes
    assert 76 == claim["need"]["n"]
    assert (152, 228.0) == (claim["need"]["n_runs"], claim["need"]["minutes"])
    assert "perhaps" == claim["reaches"][0]["state"]


def test_every_line_fits_a_terminal_of_80_columns() -> None:
    for arguments in (["x.yaml", "--cost", "2"], ["scores.csv"], [*PPO, *A2C, "--cost", "2"]):
        assert max(map(len, run(*arguments).stdout.splitlines())) <= 80


def test_the_json_has_a_schema_and_the_documented_fields() -> None:
    found = numbers(*PPO, *A2C)
    assert "rlaudit.plan/1" == found["schema"]
    assert {"n_a", "n_b", "power", "low", "high", "state"} == set(found["claims"][0]["reaches"][0])
    assert [5, 10, 20, 50, 100] == [row["n_seeds"] for row in found["purchases"]]
    assert found["runs"] is None


# ---------------------------------------------------------------- bad input

BAD = {
    "nothing": ([], "give a config, a results folder or a table; or --pilot"),
    "one pilot": ([*PPO], "there is nothing to compare it with"),
    "two of one name": ([*PPO, *PPO], "'ppo' stands there twice"),
    "grammar": ([*A2C, "--pilot", "ppo 247 145 20"], "pilots read 'ppo: 247 +- 145, 20 seeds'"),
    "no number": ([*A2C, "--pilot", "ppo: nan +- 145, 20"], "pilots read 'ppo: 247 +- 145, 20 seeds'"),
    "no sd": ([*A2C, "--pilot", "ppo: 247 +- , 20"], "pilots read 'ppo: 247 +- 145, 20 seeds'"),
    "sd of 0": ([*A2C, "--pilot", "ppo: 247 +- 0, 20 seeds"], "an sd of 0 leaves nothing to plan"),
    "sd below 0": ([*A2C, "--pilot", "ppo: 247 +- -3, 20 seeds"], "an sd of -3 leaves nothing to plan"),
    "one seed": ([*A2C, "--pilot", "ppo: 247 +- 145, 1 seed"], "n = 1 says nothing of the spread"),
    "huge": ([*A2C, "--pilot", "ppo: 1e999 +- 145, 20"], "numbers beyond 1e+100 cannot be reckoned with"),
    "tiny": ([*A2C, "--pilot", "ppo: 1 +- 1e-200, 20"], "numbers beyond 1e+100 cannot be reckoned with"),
    "target and pilots": (["scores.csv", *PPO, *A2C], "scores.csv has no place beside it"),
    "unknown agent": (["scores.csv", "--claim", "a > c"], "the claim 'a > c' speaks of 'c', which is no agent"),
    "no claim": (["scores.csv", "--claim", "a is better"], "the claim 'a is better'"),
    "no price": (["scores.csv", "--budget", "5"], "what a run of b, a costs is not known; give --cost MINUTES"),
    "budget below 0": (["scores.csv", "--cost", "1", "--budget", "-5"], "--budget -5: a budget is"),
    "endless budget": (["scores.csv", "--cost", "1", "--budget", "inf"], "--budget inf: a budget is"),
    "no budget": (["scores.csv", "--budget", "much"], "'much' is not a valid float"),
    "power": (["scores.csv", "--power", "80"], "--power 80: power is a share between 0 and 1"),
    "price": (["scores.csv", "--cost", "c=2"], "there is no agent 'c'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_a_sentence(case: str) -> None:
    arguments, message = BAD[case]
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout

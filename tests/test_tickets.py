"""What the experiment tickets concludes from runs, and how it says so."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tickets_builder import finished, luck, tickets_audit, tickets_config, tickets_records

from rlaudit.backends import BACKENDS
from rlaudit.config import load_config
from rlaudit.experiments.tickets import analyze, plan
from rlaudit.findings import exit_code
from rlaudit.report import render, sections
from rlaudit.report.laboratory import PAGES
from rlaudit.results import Audit, from_json, to_json
from rlaudit.store import Store
from rlaudit.training import Training, planned, train
from rlaudit.types import Level, RunSpec, Verdict


def titles(audit: Audit) -> list[str]:
    return [finding.title for finding in audit.findings]


def sentence(audit: Audit, title: str) -> str:
    (found,) = (finding.sentence for finding in audit.findings if finding.title == title)
    return found


# ---------------------------------------------------------------- what is concluded


def test_planted_weights_are_found_and_so_is_the_ticket() -> None:
    audit = tickets_audit(luck(weights=6, path=1.5))
    (one,) = audit.tickets
    assert one.survival is not None
    assert ("weights", True) == (one.survival.mostly, one.survival.carried)
    assert 0.8 < one.survival.share < 1.1
    assert {Verdict.A_BETTER} == {contrast.verdict for contrast in one.contrasts if contrast.against == "permuted mask"}
    assert "Mostly the weights, not the path" in titles(audit)
    assert "Mask and weights together make the ticket" in titles(audit)


def test_a_control_that_is_not_beaten_is_named() -> None:
    audit = tickets_audit(lambda spec: luck(1, 1)(spec) + 20 * ("random" in spec.agent))
    said = sentence(audit, "The ticket wins in part")
    assert "is shown to win 4 of 6 comparisons" in said
    assert "is behind a random mask on new weights" in said


def test_weights_without_any_effect_are_the_path() -> None:
    audit = tickets_audit(luck(weights=0, path=3))
    (one,) = audit.tickets
    assert one.survival is not None
    assert ("path", False) == (one.survival.mostly, one.survival.carried)
    assert "that any of it was is not shown" in sentence(audit, "Mostly the path, not the weights")
    assert Level.OK == audit.findings[0].level


def test_the_new_runs_of_a_lineage_are_that_of_again_and_its_further_ones() -> None:
    config = tickets_config()
    records = tickets_records(config, luck())
    (one,) = analyze(records, config).tickets
    lucky = one.relived[0]
    scores = {
        float(record.final_returns[0])
        for record in records
        if record.spec.agent in ("ppo again", "ppo retrained")
        and str(record.spec.seed).split(".")[0] == str(lucky.seed)
    }
    assert 8 == len(lucky.scores) == len(scores)
    assert pytest.approx(sorted(scores)) == sorted(lucky.scores)
    dense = {record.spec.seed: float(record.final_returns[0]) for record in records if record.spec.agent == "ppo"}
    assert max(dense.values()) == lucky.original == dense[lucky.seed]
    assert [True] * 3 + [False] * 3 == [weights.lucky for weights in one.relived]


def test_the_planned_contrasts_are_one_family_over_agents() -> None:
    both = {"ppo": {"algo": "PPO", "timesteps": 100}, "a2c": {"algo": "A2C", "timesteps": 100}}
    audit = tickets_audit(agents=both)
    contrasts = [contrast for one in audit.tickets for contrast in one.contrasts]
    assert 2 * 2 * 4 == len(contrasts)
    assert "16 comparisons" in audit.family
    assert pytest.approx(16 * 2 / 2**10) == min(contrast.p_adjusted or 1 for contrast in contrasts)
    assert "2 lineages" not in render(audit)


def test_new_runs_of_one_lineage_are_not_seeds_of_an_arm() -> None:
    audit = tickets_audit()
    assert 10 == len(audit.arms)
    assert {10} == {arm.n_seeds for arm in audit.arms}
    assert not audit.comparisons


def test_before_the_second_stage_nothing_is_said_of_it() -> None:
    config = tickets_config()
    audit = finished(analyze(tickets_records(config, luck())[:100], config))
    assert audit.tickets[0].survival is None
    assert "Weights or path: not known" in titles(audit)
    assert render(audit)


def test_failed_runs_are_counted_and_their_lineages_left_out() -> None:
    def fails(spec: RunSpec) -> bool:
        return spec.seed == 3 and spec.agent in ("ppo ticket 80%", "ppo")

    config = tickets_config()
    audit = finished(analyze(tickets_records(config, luck(), fails), config))
    (one,) = audit.tickets
    assert [9, 10] == [contrast.n_pairs for contrast in one.against("again")]
    assert 3 not in [weights.seed for weights in one.relived]
    assert "2 runs of ppo" in sentence(audit, "Failed runs")
    assert 4 == exit_code(audit, gate=False)


def test_failed_new_runs_are_counted() -> None:
    config = tickets_config()
    records = tickets_records(config, luck(), lambda spec: str(spec.seed).endswith(".2"))
    (one,) = analyze(records, config).tickets
    assert 6 == one.n_retrained_failed
    assert {7} == {len(weights.scores) for weights in one.relived}


def test_few_lineages_are_told_that_they_can_decide_nothing() -> None:
    audit = tickets_audit(seeds=6)
    assert {Verdict.UNDECIDED} == {contrast.verdict for contrast in audit.tickets[0].contrasts}
    assert "So few lineages cannot decide 8 comparisons" in sentence(audit, "No winning ticket is shown")


def test_masks_that_are_not_exact_are_unsafe() -> None:
    audit = tickets_audit()
    worse = finished(replace(audit, tickets=(replace(audit.tickets[0], n_exact=79),), findings=()))
    assert ("Masks that are not exact", Level.UNSAFE) == (worse.findings[0].title, worse.findings[0].level)


# ---------------------------------------------------------------- how it is said


@pytest.mark.parametrize(
    ("of", "changes"),
    [
        (luck(6, 1.5), {"score": "final"}),
        (luck(0, 3), {}),
        (luck(2, 3), {"audit": {"higher_is_better": False}}),
        (luck(2, 3), {"seeds": 6}),
        (lambda spec: 500.0, {}),
    ],
)
def test_every_audit_has_a_section_a_page_and_json(of: Callable[[RunSpec], float], changes: dict[str, Any]) -> None:
    audit = tickets_audit(of, **changes)
    assert audit == from_json(to_json(audit))
    (section,) = (one for one in sections(audit) if one.id == "tickets")
    assert "Was it the weights or the path?" == section.question
    assert not re.search(r"\bnan\b|None", render(audit).partition("<body")[2].replace("none", ""))
    page = PAGES["tickets"]
    assert list(page.identity(audit))
    assert 8 <= len(page.table(audit).rows)


def test_shares_below_zero_have_a_minus() -> None:
    audit = tickets_audit(luck(0, 3))
    (one,) = audit.tickets
    assert one.survival is not None
    turned = replace(one, survival=replace(one.survival, share=-0.2, low=-0.5, high=0.1))
    assert "−20 % of it (interval −50 % to 10 %)" in finished(replace(audit, tickets=(turned,))).findings[0].sentence


# ---------------------------------------------------------------- the whole way


def test_a_small_config_runs_to_its_end_with_one_memo_for_each_round(tmp_path: Path) -> None:
    config_file = tmp_path / "small.yaml"
    config_file.write_text(
        "name: small\nexperiment: tickets\ntask: CartPole-v1\nseeds: 2\nscore: auc\n"
        "agents: {ppo: {algo: PPO, timesteps: 64, params: {n_steps: 32, batch_size: 32, n_epochs: 1}}}\n"
        "tickets: {sparsities: [0.5, 0.9], prune_per_round: 0.8, extremes: 1, retrain_seeds: 2}\n"
        "evaluation: {every: 32, episodes: 2}\n"
    )
    config, source = load_config(config_file)
    store = Store(tmp_path / "results")
    train(config, source, store, Training(workers=2))
    specs = planned(config, store)
    assert 2 * 10 + 2 == len(specs)
    assert not store.missing(specs, retry_failed=True)
    assert 2 * 2 == len(list((tmp_path / "results" / "memo").glob("*.npz")))
    audit = finished(analyze(store.records(specs), config))
    (one,) = audit.tickets
    assert (16, 16) == (one.n_masked_runs, one.n_exact)
    assert 4 * 64 * 2 + 64 * 64 * 2 == one.n_prunable
    record = next(one for one in store.records(specs) if one.spec.agent == "ppo permuted mask 90%")
    (again,) = BACKENDS["tickets"].train([replace(record.spec, memo="")], progress=lambda spec, steps: None)
    assert record.weights_sha256 == again.weights_sha256
    assert np.array_equal(record.eval_returns, again.eval_returns)
    assert plan(config) == specs[:20]

"""`experiment: reproduce`: what follows from which records, what is said of it, and the planted leaks."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import record
from reproduction_builder import AT_37, audit_of, odd_reproductions, parted, reproduction, trial
from trial_builder import SMALL, laboratory

from rlaudit.config import AuditConfig, load_config
from rlaudit.experiments import trials
from rlaudit.experiments.reproduce import analyze, plan
from rlaudit.figures import FIGURES
from rlaudit.findings import exit_code
from rlaudit.report import render
from rlaudit.report.laboratory import PAGES
from rlaudit.results import Audit, Draw, from_json, to_json
from rlaudit.traces import CHANNELS
from rlaudit.types import Finding, Level, RunRecord, RunSpec

A2C = {"a2c": {"algo": "A2C", "timesteps": 400}}


def config(tmp_path: Path, agents: dict[str, Any] = A2C, **changes: Any) -> AuditConfig:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({**SMALL, "task": "CartPole-v1", "agents": agents, **changes}))
    return load_config(file)[0]


def traced(of: RunSpec, parts: bool = False) -> RunRecord:
    """A record with a trace of four steps; one that `parts` has other rewards in its third."""
    hashes = np.arange(4 * len(CHANNELS), dtype=np.uint64).reshape(4, -1)
    hashes[2:, CHANNELS.index("rewards")] += np.uint64(1000 * parts)
    steps, events = np.arange(1, 5, dtype=np.int32), np.full(4, 2, np.uint8)
    return record(of, measurements={"trace_steps": steps, "trace_events": events, "trace_hashes": hashes})


def carried_out(of: AuditConfig, parts: Any) -> tuple[tuple[RunSpec, ...], Audit]:
    """The whole plan, where `parts(spec)` says whose rewards are others."""
    known: dict[str, RunRecord] = {}
    while missing := [spec for spec in plan(of, tuple(known.values())) if spec.run_id not in known]:
        known |= {spec.run_id: traced(spec, parts(spec)) for spec in missing}
    return plan(of, tuple(known.values())), analyze(tuple(known.values()), of)


def pinned(spec: RunSpec) -> set[str]:
    return set(spec.treatment.get("pinned", ()))


# ---------------------------------------------------------------- the plan


def test_first_come_two_runs_of_one_seed_in_interpreters_of_their_own(tmp_path: Path) -> None:
    first, again = plan(config(tmp_path))
    assert ("trial", {"backend": "sb3"}, 0) == (first.backend, first.treatment, first.replicate)
    assert again == replace(first, replicate=1)


def test_where_they_agree_one_thing_is_changed_at_a_time(tmp_path: Path) -> None:
    specs, audit = carried_out(config(tmp_path), lambda spec: False)
    names = [one.name for one in audit.reproduction[0].trials]
    assert list(trials.CONDITIONS) == names
    assert len(names) + 1 == len(specs) == len({spec.run_id for spec in specs})
    first = specs[0]
    streams = {
        name: [spec for spec in specs if getattr(spec.seeds, name) != getattr(first.seeds, name)]
        for name in ("init", "env", "algo")
    }
    assert {2} == {len(changed) for changed in streams.values()}  # alone, and with the others


def test_only_what_must_go_to_the_end_does(tmp_path: Path) -> None:
    specs, _ = carried_out(config(tmp_path), lambda spec: False)
    assert 3 == sum("until" not in spec.treatment for spec in specs)  # the first, again, in a pool
    specs, _ = carried_out(config(tmp_path, reproduce={"timesteps": 100}), lambda spec: False)
    assert {100} == {spec.treatment.get("until") for spec in specs}


def test_where_they_part_each_source_is_held_still_in_two_runs(tmp_path: Path) -> None:
    specs, audit = carried_out(config(tmp_path), lambda spec: bool(spec.replicate) and "clock" not in pinned(spec))
    (found,) = audit.reproduction
    assert ("clock",) == found.sources
    assert found.reproducible is False
    assert {"again", "hash order", "clock", "entropy", "resets", "spaces", "process", "evaluation"} == {
        one.name for one in found.trials
    }
    assert 2 + 2 * 7 == len(specs)


def test_where_no_source_is_enough_all_are_held_and_then_all_but_each(tmp_path: Path) -> None:
    _, audit = carried_out(
        config(tmp_path), lambda spec: bool(spec.replicate) and not {"clock", "spaces"} <= pinned(spec)
    )
    (found,) = audit.reproduction
    assert (("clock", "spaces"), True) == (found.sources, found.together)


def test_what_no_pin_holds_is_not_given_a_source(tmp_path: Path) -> None:
    _, audit = carried_out(config(tmp_path), lambda spec: bool(spec.replicate))
    (found,) = audit.reproduction
    assert () == found.sources
    assert "not among those that were held still" in audit_of(found).findings[0].sentence


def test_several_environments_are_a_source_that_can_be_held(tmp_path: Path) -> None:
    agents = {"a2c": {"algo": "A2C", "timesteps": 400, "n_envs": 2}}
    _, audit = carried_out(config(tmp_path, agents), lambda spec: bool(spec.replicate) and spec.n_envs > 1)
    assert ("environments",) == audit.reproduction[0].sources


def test_a_failed_twin_ends_the_trials_and_is_told(tmp_path: Path) -> None:
    of = config(tmp_path)
    records = [replace(traced(spec), status="failed", error="Traceback\nValueError: no") for spec in plan(of)]
    assert 2 == len(plan(of, records))
    audit = analyze(records, of)
    (found,) = audit.reproduction
    assert (None, 2, "ValueError: no") == (found.reproducible, found.n_failed, found.error)
    assert 4 == exit_code(audit, gate=False)


def test_any_config_can_be_asked_and_only_its_first_seeds_are_used(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({**SMALL, "experiment": "audit", "task": "CartPole-v1", "agents": A2C, "seeds": [7, 9]}))
    of, _ = load_config(file, ["experiment=reproduce"])
    specs, _ = carried_out(of, lambda spec: False)
    assert {7, 9} == {spec.seed for spec in specs}
    assert 1 == sum(spec.seed == 9 for spec in specs)
    two = carried_out(config(tmp_path, reproduce={"seeds": 2}, seeds=[7, 9]), lambda spec: False)[1]
    assert [7, 9] == [one.seed for one in two.reproduction]


def test_of_a_function_only_what_can_be_done_to_it_is_done(tmp_path: Path) -> None:
    agents = {"f": {"train": "somewhere:train", "timesteps": 400}}
    file = tmp_path / "config.yaml"
    given = {name: value for name, value in SMALL.items() if name != "evaluation"}
    file.write_text(json.dumps({**given, "task": "CartPole-v1", "agents": agents}))
    _, audit = carried_out(load_config(file)[0], lambda spec: False)
    names = {one.name for one in audit.reproduction[0].trials}
    assert {"again", "pool", "other seed", "threads", "folder", "process"} == names


# ---------------------------------------------------------------- what is said


def first_finding(*given: Any) -> Finding:
    return audit_of(*given).findings[0]


def test_a_run_that_repeats_is_said_to_and_the_exit_code_is_0() -> None:
    audit = audit_of(reproduction())
    assert "2 of 2 trials of a2c on CartPole-v1 agree with the first run to the bit over 1,000 steps" in (
        audit.findings[0].sentence
    )
    assert "says nothing of others" in audit.findings[0].next_step
    assert 0 == exit_code(audit, gate=True)


def test_a_run_that_parts_is_unsafe_with_step_channel_and_source_and_the_exit_code_is_1() -> None:
    finding = first_finding(parted())
    assert Level.UNSAFE == finding.level
    for words in ("at step 37", "first in the rewards", "the environment", "With trial clock held still"):
        assert words in finding.sentence
    assert {
        "step": 37,
        "after": 36,
        "channel": "rewards",
        "where": "environment",
        "sources": "clock",
    } == finding.evidence
    assert 1 == exit_code(audit_of(parted()), gate=False)


def test_a_late_difference_is_said_to_lie_between_two_steps() -> None:
    late = replace(AT_37, after=20)
    assert "between steps 20 and 37" in first_finding(reproduction(trial(first=late))).sentence


def test_two_seeds_that_give_one_run_are_reported_and_the_exit_code_is_1() -> None:
    given = reproduction(trial(), trial("other seed", "seed"))
    assert "Two different seeds give the same run" in first_finding(given).sentence
    assert 1 == exit_code(audit_of(given), gate=False)


def test_a_stream_whose_seed_changes_nothing_is_a_caveat() -> None:
    given = reproduction(trial(), trial("other env", "seed"), trial("other seed", "seed", AT_37))
    finding = first_finding(given)
    assert Level.WARN == finding.level
    assert "it is deterministic, or it ignores the seed" in finding.sentence
    assert 0 == exit_code(audit_of(given), gate=False)


def test_other_bits_with_other_threads_are_a_note() -> None:
    given = reproduction(trial(), trial("threads", "change", AT_37))
    assert [Level.OK, Level.OK] == [one.level for one in audit_of(given).findings if "a2c" in one.sentence][:2]
    assert 0 == exit_code(audit_of(given), gate=False)


def test_draws_from_a_global_generator_are_named() -> None:
    finding = first_finding(reproduction(draws=(Draw("numpy", 2, 5, 9),)))
    assert "NumPy's global generator (np.random) (in 2 resets and 5 of 9 steps that were watched)" in finding.sentence


@pytest.mark.parametrize("place", range(len(odd_reproductions())))
def test_every_reader_copes_with_every_oddity(place: int) -> None:
    one = odd_reproductions()[place]
    audit = audit_of(one)
    assert audit == from_json(to_json(audit))
    FIGURES["same_run"](one)
    html = render(audit)
    assert "<script>alert" not in html
    assert "Does the same seed give the same run?" in html
    assert len(PAGES["reproduce"].table(audit).head) == len(PAGES["reproduce"].table(audit).rows[0])


def test_without_the_experiment_there_is_no_section() -> None:
    assert "Does the same seed give the same run?" not in render(audit_of())


# ---------------------------------------------------------------- planted leaks

LEAKS: dict[str, tuple[str, str]] = {  # environment -> what a finding must say, and at which level
    "UnseededRandom": ("draws from Python's global generator (random)", "warn"),
    "GlobalNumPy": ("draws from NumPy's global generator (np.random)", "warn"),
    "IgnoresSeed": ("With a generator without a seed held still two trials agree", "unsafe"),
    "ConstantSeed": ("Another seed for the environment alone changes nothing", "warn"),
    "FreshAtReset": ("With a generator without a seed or resets without a seed held still", "unsafe"),
    "Clock": ("With the clock held still two trials agree", "unsafe"),
    "Threads": ("answers depends on the number of threads", "warn"),
    "SharedGenerator": ("draws from SharedGenerator.rng", "warn"),
    "SharedState": ("is evaluated changes its training", "warn"),
    "LeavesFile": ("Left behind: work/progress.txt", "unsafe"),
    "SamplesSpace": ("With a generator without a seed or spaces without a seed held still", "unsafe"),
    "ProcessNumber": ("With the number of the process held still", "unsafe"),
    "TwoLeaks": ("Only with the clock and a generator without a seed held still at once", "unsafe"),
}
SHORT = {"a2c": {"algo": "A2C", "timesteps": 120}}


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the two conditions that cost most and find none of the leaks."""
    kept = {name: one for name, one in trials.CONDITIONS.items() if name not in ("threads", "pool")}
    monkeypatch.setattr("rlaudit.experiments.reproduce.CONDITIONS", kept)


def said(audit: Audit) -> str:
    return "\n".join(f"{one.level.value} {one.sentence}" for one in audit.findings)


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_of_an_environment_is_found_and_named(leak: str, tmp_path: Path) -> None:
    audit = laboratory(tmp_path, [f"leaky_envs:{leak}-v0"], SHORT)
    words, level = LEAKS[leak]
    named = [one for one in audit.findings if words in one.sentence]
    assert [level] == [one.level.value for one in named], said(audit)


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_an_environment_without_a_leak_is_said_to_repeat_and_nothing_else(tmp_path: Path) -> None:
    audit = laboratory(tmp_path, ["leaky_envs:Leaky-v0"], SHORT)
    assert [Level.OK] == [one.level for one in audit.findings], said(audit)


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_an_agent_that_ignores_its_seed_is_found_and_named(tmp_path: Path) -> None:
    agents = {"a2c": {**SHORT["a2c"], "algo": "leaky_agents:IgnoresSeed"}}
    finding = laboratory(tmp_path, ["leaky_envs:Leaky-v0"], agents).findings[0]
    assert ("agent", "entropy") == (finding.evidence["where"], finding.evidence["sources"])


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_an_agent_with_a_constant_seed_is_found_and_named(tmp_path: Path) -> None:
    agents = {"a2c": {**SHORT["a2c"], "algo": "leaky_agents:ConstantSeed"}}
    audit = laboratory(tmp_path, ["leaky_envs:Leaky-v0"], agents)
    for stream in ("initial weights", "algorithm"):
        assert f"Another seed for the {stream} alone changes nothing" in said(audit)
    both = laboratory(tmp_path, ["leaky_envs:ConstantSeed-v0"], agents)
    assert "Two different seeds give the same run" in both.findings[0].sentence
    assert 1 == exit_code(both, gate=False)


# ---------------------------------------------------------------- the verb


@pytest.mark.slow
def test_the_verb_takes_the_config_of_an_audit_and_the_hash_order_of_a_set_is_found_through_the_whole_plan(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.yaml").write_text(
        'name: own\ntask: "leaky_envs:HashOrder-v0"\nagents: {a2c: {algo: A2C, timesteps: 200}}\nseeds: 2\n'
    )
    run = subprocess.run(
        [sys.executable, "-m", "rlaudit", "reproduce", "own.yaml", "-s", "reproduce.steps=60", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert 1 == run.returncode, run.stderr
    assert "With the hash order of Python (PYTHONHASHSEED) held still two trials agree" in run.stdout
    assert (tmp_path / "results" / "own-reproduce" / "report.html").exists()

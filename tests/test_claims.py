"""Claims from the command line to the report: what is asked, what is said, and what a script hears."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from audit_builder import HOSTILE, build_audit
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.claims import parse
from rlaudit.cli import main
from rlaudit.config import load_config, settings
from rlaudit.errors import ConfigError
from rlaudit.figures import FIGURES, to_svg
from rlaudit.findings import exit_code
from rlaudit.findings.claims import claims as rule
from rlaudit.judge import judge
from rlaudit.report import render
from rlaudit.report.claims import claims as section
from rlaudit.results import Audit, Claim, from_json, to_json
from rlaudit.types import ArmScores, Level, ScoreTable

APART, NEAR = np.array([10.0, 11, 12, 13, 14]), np.array([9.0, 11, 13, 12, 16])
CONFIG = """\
name: small
task: CartPole-v1
agents: {ppo: {algo: PPO, timesteps: 200}, a2c: {algo: A2C, timesteps: 200}}
seeds: 2
audit: {claims: ["ppo > a2c"]}
"""


def stated(
    *texts: str, higher: bool = True, names: tuple[str, str] = ("a", "b"), n_tasks: int = 1
) -> tuple[Claim, ...]:
    """Judged on five seeds of a, far above those of b, and on c, which is like a."""
    scores = {names[0]: APART, names[1]: APART - 30, "c": NEAR}
    arms = [
        ArmScores(name, f"task {i}", tuple(range(len(x))), (x if higher else -x) * 10**i)
        for i in range(n_tasks)
        for name, x in scores.items()
    ]
    return judge(texts, ScoreTable("final", tuple(arms), higher), 0.05)


def with_claims(*claims: Claim, higher: bool = True) -> Audit:
    return replace(build_audit(), claims=claims, higher_is_better=higher, findings=())


STATES = stated("a > b", "b > a", "a > c", "a >= c - 4.2", "a == c within 8")
ODD = {
    "all states": STATES,
    "nothing but a state": tuple(Claim(f"claim {state}", state, "reason") for state in ("undecided", "fragile")),
    "hostile names": stated(*(f"{HOSTILE[i]} > {HOSTILE[1 - i]}" for i in (0, 1)), names=HOSTILE),
    "long names": stated(f"{'long' * 30} > b", names=("long" * 30, "b")),
    "several tasks": stated("a > b", "a > c", n_tasks=3),
    "many": stated("a > b", "a >= c - 3", "a == c within 4", n_tasks=8),
    "one seed": judge(
        ["a > b"], ScoreTable("final", tuple(ArmScores(name, "t", (0,), np.ones(1)) for name in "ab")), 0.05
    ),
    "nobody": judge(["a > b on t"], ScoreTable("final", (ArmScores("a", "u", (0,), np.ones(1)),
                                                         ArmScores("b", "t", (0,), np.ones(1)))), 0.05),
    "all equal": judge(
        ["a == b within 1"], ScoreTable("final", tuple(ArmScores(n, "t", (0, 1), np.ones(2)) for n in "ab")), 0.05
    ),
}  # fmt: skip


def test_the_cases_hold_every_state() -> None:
    assert {"supported", "contradicted", "undecided", "fragile"} == {claim.state for claim in STATES}


# ---------------------------------------------------------------- asked


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [f"{name},{seed},{score}" for name, x in (("a", APART), ("b", APART - 30), ("c", NEAR))
            for seed, score in enumerate(x)]  # fmt: skip
    Path("scores.csv").write_text("\n".join(["agent,seed,score", *rows]))
    Path("x.yaml").write_text(CONFIG)
    return tmp_path


def run(*arguments: str) -> Result:
    few = (
        "-s",
        "audit.splits=100",
        "-s",
        "audit.group_sizes=[2]",
        "-s",
        "audit.tests=[welch]",
        "-s",
        "audit.procedures=[]",
    )
    return CliRunner().invoke(main, ["audit", *arguments, *few])


def test_claims_of_the_command_line_stand_beside_those_of_the_config(folder: Path) -> None:
    config, source = load_config(Path("x.yaml"), claims=["a2c >= ppo - 5", "ppo == a2c within 10"])
    assert ("ppo > a2c", "a2c >= ppo - 5", "ppo == a2c within 10") == config.audit.claims
    assert "a2c >= ppo - 5" in source.yaml()
    assert ("a > b", "b > a") == settings(["audit.claims=['a > b']"], claims=["b > a"]).audit.claims


def test_claims_about_a_table_are_judged_and_written(folder: Path) -> None:
    result = run("scores.csv", "--claim", "a > b", "--claim", "a > c", "--json")
    audit = json.loads(result.stdout)
    assert ["supported", "undecided"] == [claim["state"] for claim in audit["claims"]]
    assert "--claim 'a > b' --claim 'a > c'" in audit["provenance"]["command"]
    assert "The claim 'a > b' is supported" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("scores.csv", "--claim", "a > bb"), "the claim 'a > bb' speaks of 'bb', which is no agent of this audit."),
        (("scores.csv", "--claim", "a > b on cartpol"), "speaks of 'cartpol', which is no task"),
        (("scores.csv", "--claim", "a >= b"), "the claim 'a >= b' needs a margin"),
        (("x.yaml", "--claim", "pppo > a2c"), "--claim: audit.claims[1] = 'pppo > a2c' speaks of 'pppo'"),
        (("x.yaml", "-s", "audit.claims=5", "--claim", "ppo > a2c"), "audit.claims = 5 is not a list"),
    ],
)  # fmt: skip
def test_a_bad_claim_is_refused_before_anything_is_written(
    folder: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = run(*arguments)
    assert 2 == result.exit_code
    assert expected in " ".join(result.stderr.split())
    assert ["scores.csv", "x.yaml"] == sorted(str(path) for path in Path().rglob("*"))


@pytest.mark.parametrize(
    ("claim", "code"),
    [("a > b", 0), ("b > a", 1), ("a > c", 3), ("a >= c - 3.4", 3)],
    ids=["supported", "contradicted", "undecided", "fragile"],
)
def test_a_gate_hears_how_a_claim_fared(folder: Path, claim: str, code: int) -> None:
    assert code == run("scores.csv", "--claim", claim, "-q", "--gate").exit_code


def test_the_help_names_the_codes() -> None:
    text = " ".join(CliRunner().invoke(main, ["--help"]).stdout.split())
    assert "1 a conclusion does not hold (a claim is contradicted" in text
    assert "3 inconclusive (--gate: a claim is undecided or fragile" in text


@given(st.sampled_from([("a", "b"), ("a - 2", "a"), ("ppo on ice", "ppo"), ("x within 3", "x"), ("lr 1e-3", "lr")]),
       st.floats(1e-6, 1e9), st.sampled_from([None, "CartPole-v1", "on ice", "a - 2"]))  # fmt: skip
def test_whatever_is_written_as_the_grammar_says_is_read(
    names: tuple[str, str], margin: float, task: str | None
) -> None:
    a, b = names
    tasks = ("CartPole-v1", "on ice", "a - 2")
    where = f" on {task}" if task else ""
    for relation, text in ((">", f"{a} > {b}{where}"), (">=", f"{a} >= {b} - {margin!r}{where}"),
                           ("==", f"{a} == {b} within {margin!r}{where}")):  # fmt: skip
        found = parse(text, names, tasks)
        expected = (a, relation, b, None if relation == ">" else margin, task)
        assert expected == (found.a, found.relation, found.b, found.margin, found.task)


def test_a_claim_names_what_is_wrong_with_it() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'ppo'"):
        parse("pp0 > a2c", ("ppo", "a2c"), ("task",))


# ---------------------------------------------------------------- said


@pytest.mark.parametrize("case", ODD)
def test_every_claim_has_a_finding_with_numbers_and_a_next_step(case: str) -> None:
    found = list(rule(with_claims(*ODD[case])))
    assert (1 if len(ODD[case]) > 6 else len(ODD[case])) == len(found)
    for one in found:
        assert one.evidence
        assert one.next_step
        assert "None" not in one.sentence + one.next_step


def test_levels_follow_the_states() -> None:
    levels = {"supported": Level.OK, "contradicted": Level.UNSAFE, "undecided": Level.UNSAFE, "fragile": Level.WARN}
    assert [levels[claim.state] for claim in STATES] == [one.level for one in rule(with_claims(*STATES))]


def test_many_claims_are_one_finding_as_grave_as_the_worst() -> None:
    (one,) = rule(with_claims(*STATES, *STATES))
    assert Level.UNSAFE == one.level
    assert "1 contradicted" not in one.sentence
    assert "2 contradicted" in one.sentence
    (fine,) = rule(with_claims(*STATES[:1] * 7))
    assert (Level.OK, True) == (fine.level, "7 supported. All stand" in fine.sentence)


def test_a_fragile_claim_says_what_it_would_have_been() -> None:
    (one,) = rule(with_claims(next(claim for claim in STATES if claim.state == "fragile")))
    assert "is fragile: it would be supported" in one.sentence
    assert "but not without seed" in one.sentence
    assert "fresh seeds alone" in one.next_step


def test_lower_is_better_turns_numbers_and_keeps_states() -> None:
    texts = ("a > b", "b > a", "a > c", "a >= c - 4.2", "a == c within 8")
    turned = stated(*texts, higher=False)
    assert [claim.state for claim in STATES] == [claim.state for claim in turned]
    assert [claim.effect for claim in STATES] == [-claim.effect for claim in turned]


def test_without_a_gate_only_a_contradicted_claim_is_an_error() -> None:
    by_state = {claim.state: claim for claim in STATES}
    codes = {state: exit_code(with_claims(claim), gate=False) for state, claim in by_state.items()}
    assert {"supported": 0, "contradicted": 1, "undecided": 0, "fragile": 0} == codes


# ---------------------------------------------------------------- shown


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("case", ODD)
def test_every_case_is_drawn_and_told(case: str, higher: bool) -> None:
    shown = section(with_claims(*ODD[case], higher=higher))
    assert len(ODD[case]) == len(shown.tables[0].rows)
    svg = ET.fromstring(to_svg(FIGURES["claim_intervals"](ODD[case], higher), "one", "A title."))
    words = " ".join(svg.itertext())
    for claim in ODD[case]:
        assert claim.state in words


def test_no_claim_no_section() -> None:
    assert section(build_audit()) is None


def test_hostile_names_are_escaped_in_the_page() -> None:
    page = render(with_claims(*ODD["hostile names"]))
    assert "<script>alert" not in page


def test_the_table_names_the_seeds_and_dashes_what_cannot_be_said() -> None:
    rows = {row[0]: row for row in section(with_claims(*STATES[1:], *ODD["one seed"])).tables[0].rows}
    fragile = next(claim for claim in STATES if claim.state == "fragile")
    (agent, seed), *_ = fragile.removal.seeds
    assert f"1 seed: {agent}'s seed {seed}" == rows[fragile.text][3]
    assert (None, None, None, None) == rows["a > b"][3:]


def test_claims_survive_the_way_through_json() -> None:
    audit = with_claims(*STATES)
    assert audit.claims == from_json(to_json(audit)).claims


def test_an_audit_json_from_before_still_loads() -> None:
    data = json.loads(to_json(with_claims(STATES[0])))
    data["claims"] = [{key: data["claims"][0][key] for key in ("text", "state", "reason")}]
    assert ("a > b", "supported") == (from_json(json.dumps(data)).claims[0].text, data["claims"][0]["state"])


def test_no_flip_is_told_as_the_number_of_seeds_that_was_tried() -> None:
    """10 against 30: a fifth of twice ten, which is a tenth of all."""
    rng = np.random.default_rng(0)
    arms = [ArmScores(name, "t", tuple(range(n)), rng.normal(m, 1, n)) for name, n, m in (("a", 10, 9), ("b", 30, 0))]
    shown = section(with_claims(*judge(["a > b"], ScoreTable("final", tuple(arms)), 0.05)))
    assert "probably more than 4 seeds" == shown.tables[0].rows[0][3]
    assert any("Few seeds against many" in text for text in shown.method)


def test_seeds_without_a_spread_do_not_say_that_no_number_decides() -> None:
    arms = [ArmScores(name, "t", (0, 1, 2), np.full(3, x)) for name, x in (("a", 5.0), ("b", 3.0))]
    (one,) = rule(with_claims(*judge(["a > b"], ScoreTable("final", tuple(arms)), 0.05)))
    assert "Do not state it, nor its opposite: train more seeds of both agents, better 20." == one.next_step


@pytest.mark.parametrize(
    ("text", "tasks", "said"),
    [
        ("a >", ("t",), "names no agent where one is due"),
        ("", ("t",), "names no agent where one is due"),
        ("a > b on hopper", ("",), "It knows no tasks: leave that part out"),
        ("a>c", ("t",), "speaks of 'c', which is no agent"),
        ("a>==b", ("t",), "is not a claim"),
    ],
)
def test_a_claim_that_stops_short_or_goes_too_far_is_told_so(text: str, tasks: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(text, ("a", "b"), tasks)


def test_a_relation_needs_no_blanks() -> None:
    found = parse("ppo>a2c", ("ppo", "a2c"), ())
    assert ("ppo", ">", "a2c") == (found.a, found.relation, found.b)
    assert 25 == parse("ppo>=a2c - 25", ("ppo", "a2c"), ()).margin


@pytest.mark.parametrize("higher", [True, False])
def test_failed_seeds_are_not_left_out_silently(higher: bool) -> None:
    sign = 1 if higher else -1
    a = ArmScores("a", "t", tuple(range(5)), sign * APART, (5, 6, 7))
    b = ArmScores("b", "t", tuple(range(5)), sign * (APART - 6), (5,))
    (one,) = judge(["a > b"], ScoreTable("final", (a, b), higher), 0.05)
    assert ("supported", "fragile") == (one.decision, one.state)
    assert one.hangs_on_failed
    assert "4 failed seeds are left out: counted as the worst score reached, the claim is undecided)" in one.reason
    (other,) = judge(["a > b"], ScoreTable("final", (replace(a, failed=()), b), higher), 0.05)
    assert not other.hangs_on_failed
    assert "5 against 5 seeds; 1 failed seed is left out)" in other.reason


def test_one_claim_is_one_claim_in_python() -> None:
    assert ("a > b",) == settings(claims="a > b").audit.claims

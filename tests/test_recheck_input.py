"""What people type and tables hold, and what the verb answers."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import rlaudit
from rlaudit.cli import main
from rlaudit.errors import ConfigError, ImportFormatError, RlauditError
from rlaudit.printed import PrintedResult, of_cells, of_sentence
from rlaudit.printed.cells import number

HOSTILE = "[red]<b>&'\"\x1b[31m\u202e名"
TABLE = """where,test,n1,n2,statistic,p
table 1,ks,5,5,0.80,0.036
table 1,t,5,5,2.67,0.029
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(TABLE)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["recheck", *arguments])


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.036", 0.0355, 0.0365), (".04", 0.035, 0.045), ("2", 1.5, 2.5), ("−9.0916", -9.09165, -9.09155),
        ("1.2e-5", 1.15e-5, 1.25e-5), ("1,234.5", 1234.45, 1234.55), ("0.000", -0.0005, 0.0005), ("5.", 4.5, 5.5),
        ("<.001", 0, 0.001), ("> .05", 0.05, 1), ("= .04", 0.035, 0.045), ("≤0.01", 0, 0.01),
    ],
)  # fmt: skip
def test_a_number_knows_what_was_rounded_to_it(text: str, low: float, high: float) -> None:
    found = number(text, bounded=True)
    assert found is not None
    assert (low, high) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize("text", ["", "n.s.", "0,04", "1e999", "nan", "inf", "--3", "1.2.3", "12,34", "٣", "<"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert number(text, bounded=True) is None


# ---------------------------------------------------------------- sentences


def shape(one: PrintedResult) -> dict[str, object]:
    """What was understood, without what was not said."""
    found = {
        "where": one.where, "test": one.test, "df": one.df and one.df.value, "p": one.p and one.p.text,
        "statistic": one.statistic and one.statistic.value, "ns": one.ns, "sides": one.sides,
        "means": [group.mean.value for group in one.groups if group.mean],
        "sds": [group.sd.value for group in one.groups if group.sd],
        "ses": [group.se.value for group in one.groups if group.se],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, "", [])}


FIVE, TWENTY = (5, 5), (20, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t(8) = 2.31, p = .04, n = 5, 5", {"test": "t", "df": 8, "statistic": 2.31, "p": ".04", "ns": FIVE}),
        ("t(8)=2.31,p<.05", {"test": "t", "df": 8, "statistic": 2.31, "p": "<.05"}),
        ("Welch t = 2.31, df = 6.2, p = .06", {"test": "welch", "df": 6.2, "statistic": 2.31, "p": ".06"}),
        ("Welch's t test: t = 2.3, p = .06, n = 5", {
            "where": "Welch's t test", "test": "welch", "statistic": 2.3, "p": ".06", "ns": FIVE}),
        ("Student's t = -2.31, p = .05, n = 5 vs 5", {"test": "student", "statistic": -2.31, "p": ".05", "ns": FIVE}),
        ("KS D = .80, p = .036, n = 5, 5", {"test": "ks", "statistic": 0.8, "p": ".036", "ns": FIVE}),
        ("KS = 0.80, p = 0.036, n = 5", {"test": "ks", "statistic": 0.8, "p": "0.036", "ns": FIVE}),
        ("D(5, 5) = .8, p = .036", {"test": "ks", "statistic": 0.8, "p": ".036", "ns": FIVE}),
        ("U = 3, p = .03, n1 = 5, n2 = 6", {"test": "mann_whitney", "statistic": 3, "p": ".03", "ns": (5, 6)}),
        ("Mann-Whitney U = 3, p = .03, one-sided, n = 5 and 6", {
            "test": "mann_whitney", "statistic": 3, "p": ".03", "ns": (5, 6), "sides": "one-sided"}),
        ("permutation test, p = .004, 5 seeds each", None),
        ("permutation test, p = .004, n = 5 seeds each", {"test": "permutation", "p": ".004", "ns": FIVE}),
        ("247 ± 145 (n = 20) vs 186 ± 120 (n = 20), p = .15", {
            "p": ".15", "ns": TWENTY, "means": [247, 186], "sds": [145, 120]}),
        ("247 +- 45 se, n = 20, 186 +/- 20 se, n = 20", {"ns": TWENTY, "means": [247, 186], "ses": [45, 20]}),
        ("mean 247, sd 145, n 20 against mean 186, sd 120, n 20", {
            "ns": TWENTY, "means": [247, 186], "sds": [145, 120]}),
        ("M = 247, SD = 145, M = 186, SD = 120, n = 20, 20", {
            "ns": TWENTY, "means": [247, 186], "sds": [145, 120]}),
        ("Hopper, PPO: t = 1.85, p = 0.102, n = 5", {
            "where": "Hopper, PPO", "test": "t", "statistic": 1.85, "p": "0.102", "ns": FIVE}),
        ("mean -3.5, sd 1.2", {"means": [-3.5], "sds": [1.2]}),
    ],
)  # fmt: skip
def test_sentences_are_understood_as_people_write_them(text: str, expected: dict[str, object] | None) -> None:
    if expected is None:
        with pytest.raises(ImportFormatError, match="is not understood"):
            of_sentence(text)
    else:
        assert expected == shape(of_sentence(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t = 2.31, q = .05, n = 5", "'q = .05, n = 5' is not understood"),
        ("hello", "'hello' is not understood"),
        ("t(8) = 2.31, p = 1.4", "p found '1.4', expected a number between 0 and 1"),
        ("n = 5, 5", "nothing to check"),
        ("1 ± 1, 2 ± 1, 3 ± 1", "3 groups in one result"),
        (HOSTILE, "is not understood"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(ImportFormatError) as caught:
        of_sentence(text)
    assert message in str(caught.value)


def test_an_interval_may_have_thousands() -> None:
    (group,) = of_sentence("mean = 1,234.5, 95% CI [1,100, 1,300], n = 5").groups
    assert group.ci_low is not None
    assert group.ci_high is not None
    assert (1100, 1300) == (group.ci_low.value, group.ci_high.value)


@pytest.mark.parametrize("cell", ["[100, 120]", "100 to 120", "100–120", "100-120", "100..120", "(100; 120)"])
def test_an_interval_is_written_in_many_ways(cell: str) -> None:
    made, problems = of_cells({"mean": "110", "ci": cell, "n": "5"}, "")
    assert [] == problems
    assert made is not None
    (group,) = made.groups
    assert group.ci_low is not None
    assert group.ci_high is not None
    assert (100, 120) == (group.ci_low.value, group.ci_high.value)


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("where,tst,p\na,t,0.1\n", ["t.csv:1: column 'tst'", "Did you mean 'test'?"]),
        ("where,test\na,t\n", ["t.csv:1: no column of printed numbers"]),
        ("test,p,n\nt,0.04,5\nt,0.0x,5\n", ["t.csv:3, column 'p': found '0.0x', expected a number such as 0.04"]),
        ("test;p;n\nt;0,04;5\n", ["t.csv:2, column 'p': found '0,04'", "Write a decimal point"]),
        ("test,p,n\nwelsh,0.04,0\n", ["found 'welsh'", "Did you mean 'welch'?", "column 'n': found '0'"]),
        ("p,p\n0.1,0.2\n", ["column 'p' stands"]),
        ("p,n\n0.04,5\n0.04,5,6\n", ["t.csv:3: found 3 cells, expected 2"]),
        ("p,n\n", ["there are column names, but no row"]),
        ("statistic,p,n\n2.3,0.04,5\n", ["which test has this statistic?"]),
        ("mean,mean1,sd\n1,2,3\n", ["are there two groups, or one?"]),
        ("p,n\n,5\n", ["t.csv:2: nothing to check"]),
        ("mean,sd,ci,n\n1,2,\"[5, 3]\",4\n", ["lower end is above"]),
        ("mean,sd,n\n1,-2,4\n", ["column 'sd': found '-2', expected a number from 0 up"]),
        ("", ["is empty"]),
    ],
)  # fmt: skip
def test_a_bad_table_is_one_message_and_exit_2(table: str, expected: list[str]) -> None:
    Path("t.csv").write_text(table)
    found = run("t.csv")
    assert (2, "") == (found.exit_code, found.stdout)
    assert [] == [part for part in expected if part not in found.stderr], found.stderr


def test_columns_that_nobody_reads_are_named() -> None:
    Path("t.csv").write_text(TABLE.replace("where", "environment"))
    found = run("t.csv")
    assert (0, True) == (found.exit_code, "Columns that were not read: environment." in found.stdout)


def test_a_data_frame_of_text_and_a_file_say_the_same() -> None:
    frame = pd.read_csv("t.csv", dtype=str)
    assert [one.checks for one in rlaudit.recheck("t.csv").results] == [
        one.checks for one in rlaudit.recheck(frame).results
    ]


def test_empty_cells_of_a_data_frame_are_empty() -> None:
    frame = pd.DataFrame({"test": ["t", "ks"], "statistic": ["2.67", None], "p": ["0.029", "0.036"], "n": [5, 5]})
    assert [False, True] == [bool(one.flagged) for one in rlaudit.recheck(frame).results]


# ---------------------------------------------------------------- the verb


def test_the_first_line_says_what_is_wrong_and_then_each_flagged_row_follows() -> None:
    lines = run("t.csv").stdout.splitlines()
    assert lines[0].startswith("UNSAFE 1 of 2 printed results is flagged")
    (flag,) = [line for line in lines if line.startswith("! ")]
    assert "table 1 (line 2): KS D = 0.80, p = 0.036, n = 5, 5  ->  p = 0.0794  ** the conclusion turns" in flag


def test_nothing_wrong_says_so() -> None:
    out = run("t(8) = 2.67, p = .028, n = 5, 5").stdout
    assert out.splitlines()[0].startswith(("WARN", "OK"))
    assert "In 1 printed result no number contradicts another" in out
    assert "! " not in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("t.csv",), 0),
        (("t.csv", "--gate"), 1),
        (("t(8) = 2.67, p = .028", "--gate"), 0),
        ((), 2),
        (("nope.csv",), 2),
        (("t.csv", "--alpha", "7"), 2),
        (("--mean", "1", "--sd", "1", "--sd", "2", "-n", "5"), 2),
        (("--mean", "x", "--sd", "1", "-n", "5"), 2),
        (("--mean", "3.45", "-n", "19", "--integer", "--gate"), 1),
        (("mean 3.45, n = 19", "--integer", "--gate"), 1),
        (("mean 3.45, n = 19", "--episodes", "0"), 2),
        (("--mean", "3.45", "-n", "19", "--episodes", "20", "--gate"), 0),
    ],
)
def test_the_exit_code_says_how_it_went(arguments: tuple[str, ...], code: int) -> None:
    found = run(*arguments)
    assert code == found.exit_code, found.output
    assert "Traceback" not in found.output


def test_json_is_alone_on_standard_output_and_complete() -> None:
    found = run("t.csv", "--json")
    recheck = json.loads(found.stdout)
    assert ("rlaudit.recheck/1", 1, 2) == (recheck["schema"], recheck["n_flagged"], len(recheck["results"]))
    assert "0.80" == recheck["results"][0]["printed"]["statistic"]["text"]
    assert "conclusion" == recheck["results"][0]["checks"][0]["kind"]
    assert "UNSAFE" in found.stderr


def test_options_and_a_sentence_say_the_same() -> None:
    options = run("--mean", "247", "--sd", "145", "-n", "20", "--mean", "186", "--sd", "120", "-n", "20", "--json")
    sentence = run("mean 247, sd 145, n 20 against mean 186, sd 120, n 20", "--json")
    one, other = (json.loads(found.stdout)["results"][0] for found in (options, sentence))
    assert one["recomputed"] == other["recomputed"]
    assert 61 == pytest.approx(one["recomputed"]["effect"])


def test_several_results_and_tables_are_one_family() -> None:
    found = json.loads(run("t.csv", "p = .01, n = 5", "--json").stdout)
    assert 3 == found["family"]["n_p"]


def test_quiet_says_one_line() -> None:
    assert 1 == len(run("t.csv", "-q").stdout.splitlines())


def test_hostile_names_are_shown_as_plain_text() -> None:
    Path("t.csv").write_text(f'where,test,n,statistic,p\n"{HOSTILE.replace(chr(34), "")}",ks,5,0.80,0.036\n')
    out = run("t.csv").stdout
    assert "[red]<b>" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_long_table_shows_the_worst_and_names_the_rest() -> None:
    rows = [f"row {i},ks,5,0.80,0.036" for i in range(40)] + [f"ok {i},t,5,{2 + i / 100:.2f},>.0001" for i in range(60)]
    Path("t.csv").write_text("\n".join(["where,test,n,statistic,p", *rows]))
    out = run("t.csv").stdout
    assert "and 20 more (--json has all)" in out
    assert "others: t" in out
    assert len(out.splitlines()) < 70


def test_the_python_entry_takes_sentences_and_refuses_a_bad_level() -> None:
    recheck = rlaudit.recheck(["KS D = .8, p = .036, n = 5", "t(8) = 2.67, p = .028"], alpha=0.05)
    assert 1 == recheck.n_flagged
    with pytest.raises(ConfigError, match="alpha = 5"):
        rlaudit.recheck("p = .04", alpha=5)


def test_the_order_of_results_changes_no_result() -> None:
    texts = ["KS D = .8, p = .036, n = 5", "t(8) = 2.67, p = .028", "U = 0, p = .1, n = 3"]
    there, back = rlaudit.recheck(texts), rlaudit.recheck(texts[::-1])
    assert list(there.results) == list(back.results[::-1])
    assert there.family == back.family


@pytest.mark.parametrize("effect", ["nan", "inf", "0"])
def test_a_difference_that_is_none_is_refused(effect: str) -> None:
    result = run("--effect", effect, "247 ± 145 (n = 20) vs 186 ± 120 (n = 20)")
    assert 2 == result.exit_code
    assert "give a true difference other than 0" in result.stderr


def test_an_effect_without_an_sd_is_not_passed_over_in_silence() -> None:
    found = rlaudit.recheck("t(8) = 2.67, p = .028, n = 5", effect=2.0).findings
    assert any("cannot be said without an sd" in finding.sentence for finding in found)


def test_an_empty_result_is_not_the_folder_one_is_in() -> None:
    result = run("")
    assert 2 == result.exit_code
    assert "An empty result" in result.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [(None, "None: give a file"), (3, "3: give a file"), ([], "no result"), (pd.DataFrame(), "columns where, test, n")],
)
def test_what_holds_no_result_is_refused(source: object, message: str) -> None:
    with pytest.raises(RlauditError, match=message):
        rlaudit.recheck(source)  # type: ignore[arg-type]

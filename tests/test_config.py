"""Configs are read completely, or refused with everything that is wrong."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from rlaudit import config_values
from rlaudit.backends import BACKENDS, sb3
from rlaudit.backends.initializers import INITIALIZERS
from rlaudit.claims import ParsedClaim, parse
from rlaudit.comparisons import COMPARISONS
from rlaudit.config import AuditConfig, json_schema, load_config, settings
from rlaudit.errors import ConfigError
from rlaudit.experiments import EXPERIMENTS
from rlaudit.procedures import PROCEDURES
from rlaudit.types import Problem

CONFIGS = Path(__file__).parents[1] / "configs"

GOOD = """\
# made by hand
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 5e4}      # fifty thousand
  ppo: {algo: PPO, timesteps: 50000, params: {learning_rate: 3e-4}}
seeds: 10
audit:
  tests: [welch, permutation]
"""


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "x.yaml"
    path.write_text(text)
    return path


def message(folder: Path, text: str = GOOD, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), overrides)
    return str(caught.value)


# ---------------------------------------------------------------- what is read


def test_numbers_are_read_as_yaml_1_2_means_them(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path))
    assert config.agents["a2c"].timesteps == 50_000
    assert config.agents["ppo"].params == {"learning_rate": 0.0003}


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path))
    assert (config.experiment, config.score, config.evaluation.episodes) == ("audit", "final", 20)
    assert (config.audit.alpha, config.audit.group_sizes, config.audit.splits) == (0.05, (2, 3, 5, 10, 20), 10_000)


@pytest.mark.parametrize(
    ("written", "seeds"),
    [
        ("3", (0, 1, 2)),
        ('"100-102"', (100, 101, 102)),
        ("100-102", (100, 101, 102)),
        ('"0-1, 7"', (0, 1, 7)),
        ("[8, 3]", (8, 3)),
    ],
)
def test_seeds_are_a_count_a_range_or_a_list(tmp_path: Path, written: str, seeds: tuple[int, ...]) -> None:
    config, _ = load_config(write(tmp_path, GOOD.replace("seeds: 10", f"seeds: {written}")))
    assert config.seeds == seeds


@pytest.mark.parametrize(
    "written",
    ["task: {id: CartPole-v1}", "tasks: [CartPole-v1]", "tasks:\n- id: CartPole-v1\n  kwargs: {}"],
)
def test_a_task_may_be_written_short_or_long(tmp_path: Path, written: str) -> None:
    short, _ = load_config(write(tmp_path))
    long, _ = load_config(write(tmp_path, GOOD.replace("task: CartPole-v1", written)))
    assert short == long


def test_a_config_is_frozen(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"


def test_group_sizes_that_the_pool_cannot_split_are_left_to_the_audit(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path), ["audit.group_sizes=[20, 3]"])
    assert config.audit.group_sizes == (3, 20)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = GOOD.replace("a2c: {", "a2c: &base {").replace(
        "ppo: {algo: PPO, timesteps: 50000,", "ppo: {<<: *base, algo: PPO,"
    )
    assert load_config(write(tmp_path, text))[0].agents["ppo"].timesteps == 50_000


# ---------------------------------------------------------------- overrides


def test_an_override_wins_and_is_read_as_yaml(tmp_path: Path) -> None:
    overrides = ["audit.alpha=0.01", "agents.a2c.timesteps=1e3", "evaluation.every=500", "score=auc"]
    config, _ = load_config(write(tmp_path), overrides, seeds="100-119")
    assert (config.audit.alpha, config.agents["a2c"].timesteps, config.evaluation.every) == (0.01, 1000, 500)
    assert config.seeds == tuple(range(100, 120))


def test_an_override_changes_one_place_of_what_an_anchor_shares(tmp_path: Path) -> None:
    text = (
        "name: x\ntask: CartPole-v1\nseeds: 2\nagents:\n"
        "  a2c: {algo: A2C, timesteps: 9, params: &shared {gamma: 0.9}}\n"
        "  dqn: {algo: DQN, timesteps: 9, params: *shared}\n"
    )
    config, source = load_config(write(tmp_path, text), ["agents.a2c.params.gamma=0.5"])
    assert [0.5, 0.9] == [config.agents[name].params["gamma"] for name in ("a2c", "dqn")]
    assert config == load_config(write(tmp_path, source.yaml()))[0]


def test_a_new_key_leaves_comments_where_they_belong(tmp_path: Path) -> None:
    text = (
        "name: x\ntask: CartPole-v1\nseeds: 2\nagents:\n"
        "  a:\n    algo: A2C\n    timesteps: 9\n\n  # about b\n  b: {algo: PPO, timesteps: 9}\n"
    )
    _, source = load_config(write(tmp_path, text), ["agents.a.n_envs=2", "agents.a.params.gamma=0.5"])
    assert "    timesteps: 9\n\n  # about b\n  b: {" in source.yaml()
    assert {"n_envs": 2, "params": {"gamma": 0.5}}.items() <= YAML(typ="safe").load(source.yaml())["agents"][
        "a"
    ].items()


def test_the_nearest_override_is_blamed(tmp_path: Path) -> None:
    found = message(tmp_path, GOOD, "audit={alpha: 0.1}", "audit.alpha=7", "audit.splits=1")
    assert "-s audit.alpha=7: audit.alpha = 7 must be below 0.5" in found
    assert "-s audit.splits=1: " in found


@pytest.mark.parametrize(
    "written",
    ["[a.b.Wrapper]", "['a.b:Wrapper']", "[{a.b.Wrapper: }]", "[{'a.b:Wrapper': {}}]"],
)
def test_a_wrapper_is_one_however_it_is_written(tmp_path: Path, written: str) -> None:
    text = GOOD.replace("timesteps: 5e4}", f"timesteps: 5e4, wrappers: {written}}}")
    assert ({"a.b:Wrapper": {}},) == load_config(write(tmp_path, text))[0].agents["a2c"].wrappers


def test_an_override_finds_labels_with_dots(tmp_path: Path) -> None:
    text = GOOD.replace("a2c:", "a2c-0.5:")
    config, _ = load_config(write(tmp_path, text), ["agents.a2c-0.5.timesteps=7"])
    assert config.agents["a2c-0.5"].timesteps == 7


def test_an_override_reaches_into_lists(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path), ["audit.tests.1=student"])
    assert config.audit.tests == ("welch", "student")


def test_errors_point_at_the_override(tmp_path: Path) -> None:
    found = message(tmp_path, GOOD, "audit.alhpa=0.01")
    assert found == "-s audit.alhpa=0.01: audit.alhpa is no key here. Did you mean 'alpha'?"


def test_the_source_gives_the_document_back_with_overrides_and_comments(tmp_path: Path) -> None:
    config, source = load_config(write(tmp_path), ["audit.alpha=0.01"], seeds="7-9")
    text = source.yaml()
    assert "# made by hand" in text
    assert "# fifty thousand" in text
    assert "experiment: audit" in text
    assert load_config(write(tmp_path, text))[0] == config


# ---------------------------------------------------------------- errors


def test_all_errors_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("welch,", "welsh,").replace("algo: A2C,", "algo: 3,").replace("name: small", "nmae: small")
    lines = [line for line in message(tmp_path, text).splitlines() if "x.yaml:" in line]
    assert [line.rpartition("x.yaml:")[2].split(":")[0] for line in lines] == ["2", "2", "5", "9"]


def test_an_error_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    assert message(tmp_path, GOOD.replace("permutation", "welsh")) == (
        f"{path}:9:18: audit.tests[1] = 'welsh' is not a test. Did you mean 'welch'? (rlaudit list tests)\n"
        "      tests: [welch, welsh]\n"
        "                     ^~~~~"
    )


def test_a_key_written_twice_is_shown_at_both_places(tmp_path: Path) -> None:
    found = message(tmp_path, GOOD.replace("  ppo:", "  a2c:"))
    assert "x.yaml:6:3: agents.a2c is written twice, first in line 5" in found
    assert found.count("^~~") == 2


def test_agents_that_would_be_the_same_runs_are_refused(tmp_path: Path) -> None:
    found = message(tmp_path, GOOD.replace("{algo: PPO, timesteps: 50000, params: {learning_rate: 3e-4}}",
                                           "{algo: A2C, timesteps: 50000, n_envs: 1}"))  # fmt: skip
    assert "x.yaml:6:3: agents.ppo is agents.a2c under another name" in found


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ("{CartPole: [9, 500]}", "audit.normalise.CartPole is no task of this config. Did you mean 'CartPole-v1'?"),
        ("{CartPole-v1: [500, 9]}", "= [500, 9], but higher is better: give the worse score first"),
    ],
)
def test_reference_scores_are_looked_at_before_anything_is_trained(
    tmp_path: Path, references: str, expected: str
) -> None:
    assert expected in message(tmp_path, f"{GOOD}  normalise: {references}\n")


def test_a_long_line_is_cut_around_the_caret(tmp_path: Path) -> None:
    text = GOOD.replace("[welch, permutation]", f"[welch, permutation{' ' * 500}, welsh]")
    shown = message(tmp_path, text).splitlines()
    assert max(map(len, shown[1:])) < 130
    assert shown[1][shown[2].index("^") :].startswith("welsh")


def test_aliases_that_spell_out_billions_of_values_are_refused(tmp_path: Path) -> None:
    layers = "\n".join(f"  x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 12))
    assert "spells out more than" in message(tmp_path, f"name: &x0 a\nagents:\n{layers}\n")


@pytest.mark.parametrize(
    "text",
    ["a: &a [*a]\n", "a: &a {b: *a}\n", "[" * 5000, "? [1]\n: 2\n", "!!python/object:os.system {}\n", "a: !!int x\n"],
)
def test_odd_yaml_is_an_error_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    assert "x.yaml" in message(tmp_path, text)


def test_others_can_point_at_a_line_later(tmp_path: Path) -> None:
    _, source = load_config(write(tmp_path), ["agents.a2c.n_envs=4"])
    problems = [
        Problem(("agents", "ppo", "params", "learning_rate"), "'learning_rate' is odd."),
        Problem(("task",), "'CartPole-v1' cannot be made."),
        Problem(("agents", "a2c", "n_envs"), "too many."),
    ]
    found = str(source.error(problems)).splitlines()
    assert found[0].endswith("x.yaml:3:1: task: 'CartPole-v1' cannot be made.")
    assert found[3] == "-s agents.a2c.n_envs=4: agents.a2c.n_envs: too many."
    assert found[4].endswith("x.yaml:6:47: agents.ppo.params.learning_rate: 'learning_rate' is odd.")


# ---------------------------------------------------------------- settings without a config


def test_settings_come_from_keywords_and_overrides() -> None:
    found = settings(["audit.alpha=0.01"], tests=["student"], margin=3).audit
    assert (found.alpha, found.tests, found.margin) == (0.01, ("student",), 3.0)


@pytest.mark.parametrize(
    ("overrides", "given", "expected"),
    [
        (["seeds=5"], {}, "without a config only score and audit.KEY can be set"),
        (["score=aucc"], {}, "score = 'aucc' is not a score. Did you mean 'auc'?"),
        (["audit.alpha=2"], {}, "-s audit.alpha=2: audit.alpha = 2 must be below 0.5"),
        ([], {"alpa": 0.1}, "audit.alpa is no key here. Did you mean 'alpha'?"),
        ([], {"tests": ["welsh"]}, "audit.tests[0] = 'welsh' is not a test. Did you mean 'welch'?"),
        ([], {"tests": ["kolmogorov_smirnov"]}, "it also rejects where only the spreads differ; name it later"),
        ([], {"tests": ["almost_stochastic_order"]}, "lets almost_stochastic_order decide which agent is better, but"),
        ([], {"correction": "holmes"}, "audit.correction = 'holmes' is not a correction. Did you mean 'holm'?"),
        ([], {"correction": "max_t"}, "corrects permutation_studentised, but welch decides; put that first in tests"),
    ],
)
def test_bad_settings_are_config_errors(overrides: list[str], given: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(overrides, **given)
    assert expected in str(caught.value)


# ---------------------------------------------------------------- claims


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ppo > a2c", ("ppo", ">", "a2c", None, None)),
        ("ppo > a2c on CartPole-v1", ("ppo", ">", "a2c", None, "CartPole-v1")),
        ("ppo >= a2c - 25", ("ppo", ">=", "a2c", 25.0, None)),
        ("ppo == a2c within 10", ("ppo", "==", "a2c", 10.0, None)),
        ("a2c-2 >= a2c - 2 - 1.5 on CartPole-v1", ("a2c-2", ">=", "a2c - 2", 1.5, "CartPole-v1")),
    ],
)
def test_a_claim_is_read(text: str, expected: tuple[object, ...]) -> None:
    claim = parse(text, ("a2c", "a2c-2", "a2c - 2", "ppo"), ("CartPole-v1",))
    assert claim == ParsedClaim(*expected, text=text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pppo > a2c", "speaks of 'pppo', which is no agent of this audit. Did you mean 'ppo'?"),
        ("ppo > a2d on CartPole-v1", "speaks of 'a2d'"),
        ("ppo > a2c on CartPol-v1", "speaks of 'CartPol-v1', which is no task"),
        ("ppo < a2c", "write it the other way round"),
        ("ppo is better", "is not a claim"),
        ("ppo >= a2c", "needs a margin after '>='"),
        ("ppo == a2c", "needs a margin after '=='"),
        ("ppo > a2c - 25", "takes no margin after '>'"),
        ("ppo >= a2c - nan", "is not a number above 0"),
        ("ppo >= a2c - -3", "is not a number above 0"),
        ("ppo > ppo", "compares 'ppo' with itself"),
        ("ppo > a2c always", "ends in 'always'"),
        ("", "names no agent"),
    ],
)
def test_a_bad_claim_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, ("a2c", "ppo"), ("CartPole-v1",))
    assert expected in str(caught.value)


# ---------------------------------------------------------------- in step


def test_the_names_in_the_config_are_those_of_the_registries() -> None:
    assert tuple(COMPARISONS) == config_values.TESTS
    assert tuple(PROCEDURES) == config_values.PROCEDURES
    assert tuple(BACKENDS)[: len(config_values.BACKEND_NAMES)] == config_values.BACKEND_NAMES  # then experiments' own
    assert tuple(EXPERIMENTS) == config_values.EXPERIMENT_NAMES
    assert tuple(INITIALIZERS) == config_values.SCHEMES
    assert tuple(sb3.ALGORITHMS) == config_values.ALGORITHMS


def test_the_committed_schema_is_the_one_that_is_printed() -> None:
    assert json.loads((CONFIGS / "schema.json").read_text()) == json_schema(), "rlaudit schema > configs/schema.json"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_committed_configs_fit_the_schema_and_name_it(path: Path) -> None:
    jsonschema.validate(YAML(typ="safe", pure=True).load(path.read_text()), json_schema())
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    assert isinstance(load_config(path)[0], AuditConfig)


def test_the_schema_refuses_what_the_config_refuses() -> None:
    data = YAML(typ="safe", pure=True).load(GOOD)
    jsonschema.validate(data, json_schema())
    for wrong in (
        {"task": None},
        {"score": "finl"},
        {"audit": {"alpha": 2}},
        {"seeds": 1},
        {"agents": {"one": {"algo": "PPO"}}},
        {"tasks": ["x"]},
        {"oops": 1},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **wrong}, json_schema())

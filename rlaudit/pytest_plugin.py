"""The pytest plugin: seeds as a test's resource. Fixtures `seed_audit`, `seed_runs` and `assert_no_regression`.

    def test_my_change_does_not_hurt(seed_runs, assert_no_regression):
        table = seed_runs("configs/ppo.yaml", code=["src/my_agent"])
        assert_no_regression(table.arm("new", "CartPole-v1"), table.arm("old", "CartPole-v1"), margin=25)

pytest imports this module in every session of everybody who has rlaudit installed, so that it imports nothing but
pytest and the standard library (.03 s; stable-baselines3 would cost 2 s). `--rlaudit-cache` says where runs are kept.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rlaudit.regression import Judgement
    from rlaudit.results import Audit, PairAudit
    from rlaudit.types import ScoreTable

ROW = "rlaudit"  # the name under which a test's rows travel to the summary, through xdist's workers too
_MOST_FINDINGS = 3  # of an audit, in the summary
Record = Callable[[str, object], None]


# ---------------------------------------------------------------- options and summary


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where `seed_runs` keeps its runs."""
    where = "folder in which seed_runs keeps its runs (default: pytest's own cache)"
    parser.getgroup("rlaudit").addoption("--rlaudit-cache", metavar="DIR", help=where)
    parser.addini("rlaudit_cache", where)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A row for every comparison that a test made, and what its audits found; test by test, the worst first."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    rows = [
        f"{value}  ({report.nodeid})"
        for report in sorted(reports, key=lambda report: getattr(report, "nodeid", ""))  # xdist's workers have no order
        if getattr(report, "when", None) == "teardown"  # the last report of a test holds all of its rows
        for name, value in report.user_properties
        if name == ROW
    ]
    if rows:
        terminalreporter.section("rlaudit")
        for row in rows:
            terminalreporter.write_line(row)


@contextmanager
def _without_traceback() -> Iterator[None]:
    """Fails the test with the sentence of an error that the user can mend."""
    from rlaudit.errors import RlauditError

    try:
        yield
    except RlauditError as error:
        message = str(error)
    else:
        return
    pytest.fail(message, pytrace=False)


# ---------------------------------------------------------------- regressions


def assert_no_regression(
    new: Any,
    baseline: Any,
    margin: float,
    *,
    alpha: float = 0.05,
    higher_is_better: bool | None = None,
    inconclusive: str = "fail",
    record: Record = lambda name, value: None,
) -> "Judgement":
    """Fails the test unless `new` is shown to be worse than `baseline` by less than `margin`, in units of the score.

    Scores (n_seeds,), an ArmScores, or a ScoreTable with one agent on one task. `alpha` bounds the chance of a wrong
    pass and of a wrong regression. `inconclusive` is "fail", "skip" or "pass": what happens when there are too few
    seeds to tell. See `rlaudit.regression.judge`, whose result is returned.
    """
    from rlaudit.errors import RlauditError, did_you_mean
    from rlaudit.regression import judge

    with _without_traceback():
        if inconclusive not in (choices := ("fail", "skip", "pass")):
            raise RlauditError(f"inconclusive = {inconclusive!r}.{did_you_mean(inconclusive, choices)}")
        judgement = judge(new, baseline, margin, alpha=alpha, higher_is_better=higher_is_better)
    record(ROW, judgement.message)
    if judgement.answer == "regression" or (judgement.answer, inconclusive) == ("inconclusive", "fail"):
        pytest.fail(judgement.message, pytrace=False)
    if (judgement.answer, inconclusive) == ("inconclusive", "skip"):
        pytest.skip(judgement.message)
    return judgement


@pytest.fixture(name="assert_no_regression")
def _assert_no_regression(record_property: Record) -> Callable[..., "Judgement"]:
    """`assert_no_regression(new, baseline, margin=...)` fails unless new is shown to be no worse by the margin."""
    return partial(assert_no_regression, record=record_property)


# ---------------------------------------------------------------- audits


@pytest.fixture
def seed_audit(record_property: Record) -> Callable[..., "Audit"]:
    """`seed_audit(source, **settings)` audits a results folder, a table, a DataFrame or a mapping of arrays.

    Settings are those of `rlaudit.audit`: alpha, margin, group_sizes, tests, claims, ... What is wrong, or that nothing
    is, stands in the summary of the session, the worst first; the audit that it returns has all `findings`.
    """

    def audited(source: Any, **settings: Any) -> "Audit":
        import rlaudit

        with _without_traceback():
            audit = rlaudit.audit(source, **settings)
        for pair in audit.comparisons:
            record_property(ROW, _row(pair, audit.alpha))
        wrong = [finding for finding in audit.findings if finding.level != "ok"]
        for finding in wrong[:_MOST_FINDINGS] or audit.findings[:1]:
            record_property(ROW, f"{finding.level}: {finding.sentence}")
        return audit

    return audited


def _row(pair: "PairAudit", alpha: float) -> str:
    words = {"a_better": f"{pair.a} is better", "b_better": f"{pair.b} is better"}
    from rlaudit.wording import interval, number

    parts = [f"{words.get(pair.verdict, pair.verdict)}: {pair.a} - {pair.b}"]
    if pair.effect is not None:
        parts[0] += f" = {number(pair.effect)}"
        parts.append(f"{100 * (1 - alpha):g}% CI {interval(pair.low, pair.high)}")
    return ", ".join([*parts, *([f"on {pair.task}"] if pair.task else [])])


# ---------------------------------------------------------------- runs


@pytest.fixture
def seed_runs(request: pytest.FixtureRequest) -> Callable[..., "ScoreTable"]:
    """`seed_runs(config)` gives the scores of a config's runs, training first those that are not in the cache.

    `config`: a path, or a mapping with the same keys. `code`: files, folders or modules under test; when they change,
    everything is trained anew. `overrides` and `seeds` are those of the command line (["audit.alpha=0.01"], "20"),
    `workers` defaults to the number of cores. Parallel test processes wait for each other, so that nothing is
    trained twice.
    """

    def runs(
        config: str | Path | Mapping[str, Any],
        *,
        code: Iterable[str | Path | ModuleType] = (),
        overrides: Iterable[str] = (),
        seeds: str | None = None,
        workers: int | None = None,
    ) -> "ScoreTable":
        with _without_traceback():
            cache = _cache(request.config)
            path = _written(config, cache) if isinstance(config, Mapping) else Path(config)
            return _trained(path, tuple(overrides), seeds, cache, _fingerprint(code), workers)

    return runs


def _cache(config: pytest.Config) -> Path:
    """The option, else the ini file, else pytest's own cache."""
    chosen: str | None = config.getoption("--rlaudit-cache") or config.getini("rlaudit_cache")
    if chosen or config.cache is None:
        return config.rootpath / (chosen or ".rlaudit_cache")
    return config.cache.mkdir("rlaudit")


def _written(config: Mapping[str, Any], cache: Path) -> Path:
    """A mapping as a file, since errors point at lines. JSON is YAML."""
    text = json.dumps(config, indent=1)
    path = cache / "configs" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")  # nobody reads half a file
    scratch.write_text(text, encoding="utf-8")
    return scratch.replace(path)


def _trained(
    path: Path, overrides: tuple[str, ...], seeds: str | None, cache: Path, fingerprint: str, workers: int | None
) -> "ScoreTable":
    from rlaudit import training
    from rlaudit.config import load_config
    from rlaudit.durable import only_process
    from rlaudit.errors import ConfigError
    from rlaudit.scores import score_table
    from rlaudit.store import Store

    config, source = load_config(path, overrides, seeds)
    if config.sequential:
        raise ConfigError(
            f"{path}: seed_runs is for a fixed number of seeds, which the tests of a change need: give a count, "
            'such as seeds="20"'
        )
    folder = cache / f"{config.name}{fingerprint}"
    store = Store(folder)
    with only_process(cache / f"{folder.name}.lock"):
        training.train(config, source, store, training.Training(workers=workers))
    records = store.records(training.planned(config, store))
    return score_table(records, config.score, config.audit.higher_is_better)


def _fingerprint(code: Iterable[str | Path | ModuleType]) -> str:
    """`-0123456789ab` for the content of all files of the code under test; nothing where there is none."""
    files = [file for part in code for file in _files(part)]
    digest = hashlib.sha256()
    for name, file in files:
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"-{digest.hexdigest()[:12]}" if files else ""


def _files(code: str | Path | ModuleType) -> Iterator[tuple[str, Path]]:
    """(name, file), in the order of the names, without caches and hidden files."""
    from rlaudit.errors import RlauditError

    root = _home(code) if isinstance(code, ModuleType) else Path(code)
    if not root.exists():
        raise RlauditError(f"code: there is no {root}. Give files, folders or modules under test.")
    for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
        name = file.relative_to(root.parent)
        if file.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in name.parts):
            yield name.as_posix(), file


def _home(module: ModuleType) -> Path:
    """A package's folder, or a module's file."""
    return Path(*list(module.__path__)[:1]) if hasattr(module, "__path__") else Path(str(module.__file__))

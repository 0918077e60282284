"""Whole files with known content, oddly written: the content comes back to the last bit."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.importers import Hints
from rlaudit.types import RunRecord

Scores = dict[tuple[str, str, int], float]  # agent, task, seed

# What nobody takes for a number, a seed or a word for "nothing"; odd enough to be quoted, or to look like markup.
LABELS = st.text(st.sampled_from("aBcé🐟 _-+,;\t\"'[]{}<>&$%\\|#=/.日"), min_size=1, max_size=8).map(
    lambda text: f"x{text.strip()}"
)
NUMBERS = st.floats(-1e90, 1e90, allow_subnormal=True)
FEW = settings(max_examples=60, deadline=None)


@st.composite
def _scores(draw: st.DrawFn) -> Scores:
    agents = draw(st.lists(LABELS, min_size=1, max_size=3, unique=True))
    tasks = draw(st.one_of(st.just([""]), st.lists(LABELS, min_size=1, max_size=2, unique=True)))
    seeds = draw(st.lists(st.integers(0, 2**40), min_size=2, max_size=4, unique=True))
    return {(agent, task, seed): draw(NUMBERS) for agent in agents for task in tasks for seed in seeds}


@st.composite
def _ways(draw: st.DrawFn) -> dict[str, Any]:
    """How somebody's program writes CSV."""
    return {
        "delimiter": draw(st.sampled_from([",", ";", "\t"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
        "bom": draw(st.booleans()),
        "packed": draw(st.booleans()),
        "ended": draw(st.booleans()),
        "order": draw(st.permutations(["agent", "task", "seed", "score", "host"])),
        "shuffle": draw(st.randoms(use_true_random=False)),
    }


def written(rows: Sequence[Sequence[object]], ways: dict[str, Any]) -> bytes:
    """The rows as the file of such a program."""
    text = io.StringIO()
    kept = ("delimiter", "quoting", "lineterminator")
    csv.writer(text, **{key: ways[key] for key in kept if key in ways}).writerows(rows)
    content = text.getvalue() if ways.get("ended", True) else text.getvalue().rstrip("\r\n")
    data = b"\xef\xbb\xbf" * ways.get("bom", False) + content.encode()
    return gzip.compress(data, mtime=0) if ways.get("packed") else data


def read(path: Path, **hints: Any) -> tuple[RunRecord, ...]:
    return importers.read(path, Hints(**hints), single_seeds=True).records


def found(records: Sequence[RunRecord]) -> dict[tuple[str, str, object], float]:
    return {(one.spec.agent, one.spec.task_label, one.spec.seed): float(one.final_returns[0]) for one in records}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@FEW
@given(scores=_scores(), ways=_ways())
@example(scores={("a,b", "", 0): 1.0, ('"', "", 1): -0.0}, ways={"order": ["agent", "seed", "score"]})
def test_a_tidy_table_comes_back(scores: Scores, ways: dict[str, Any], folder: Path) -> None:
    rows = [{"agent": a, "task": t, "seed": s, "score": repr(v), "host": "x"} for (a, t, s), v in scores.items()]
    if "shuffle" in ways:
        ways["shuffle"].shuffle(rows)
    path = folder / "scores.csv"
    path.write_bytes(written([ways["order"], *([row[name] for name in ways["order"]] for row in rows)], ways))
    assert _bits(scores) == _bits(found(read(path)))


def _bits(scores: Any) -> dict[Any, str]:
    """-0.0 is not 0.0."""
    return {key: float(value).hex() for key, value in scores.items()}


@st.composite
def _curves(draw: st.DrawFn) -> dict[tuple[str, int], dict[int, float]]:
    """(agent, seed) -> step -> value; runs end where they like."""
    agents = draw(st.lists(st.sampled_from(["ppo", "sac", "td3", "a2c"]), min_size=1, max_size=2, unique=True))
    curves = st.dictionaries(st.integers(1, 10**6), NUMBERS, min_size=1, max_size=5)
    return {(agent, seed): draw(curves) for agent in agents for seed in range(draw(st.integers(2, 3)))}


def curves_of(records: Sequence[RunRecord]) -> dict[tuple[str, object], dict[int, float]]:
    return {
        (one.spec.agent, one.spec.seed): dict(
            zip(one.eval_steps.tolist(), one.eval_returns[:, 0].tolist(), strict=True)
        )
        for one in records
    }


@FEW
@given(curves=_curves(), ways=_ways())
def test_curves_in_a_tidy_table_come_back(
    curves: dict[tuple[str, int], dict[int, float]], ways: dict[str, Any], folder: Path
) -> None:
    rows = [[agent, seed, step, repr(v)] for (agent, seed), points in curves.items() for step, v in points.items()]
    ways["shuffle"].shuffle(rows)
    path = folder / "curves.csv"
    path.write_bytes(written([["agent", "seed", "step", "value"], *rows], ways))
    assert {key: dict(sorted(points.items())) for key, points in curves.items()} == curves_of(read(path))


@FEW
@given(curves=_curves())
def test_a_chart_of_weights_and_biases_comes_back(
    curves: dict[tuple[str, int], dict[int, float]], folder: Path
) -> None:
    names = {key: f"{key[0]}-{key[1]} - eval/mean_reward" for key in curves}
    header = ["global_step", *(f"{name}{end}" for name in names.values() for end in ("", "__MIN", "__MAX"))]
    steps = sorted({step for points in curves.values() for step in points})
    cells = [[repr(points[s]) if s in points else "" for points in curves.values() for _ in range(3)] for s in steps]
    path = folder / "chart.csv"
    path.write_bytes(
        written([header, *([s, *row] for s, row in zip(steps, cells, strict=True))], {"quoting": csv.QUOTE_ALL})
    )
    expected = {key: dict(sorted(points.items())) for key, points in curves.items()}
    assert expected == curves_of(read(path, names="{agent}-{seed}"))


@FEW
@given(
    pools=st.dictionaries(
        st.sampled_from(["ppo", "sac", "td3"]), st.lists(NUMBERS, min_size=3, max_size=3), min_size=2
    ),
    seeds=st.lists(st.integers(0, 10**6), min_size=3, max_size=3, unique=True),
    ways=_ways(),
)
def test_a_wide_table_comes_back(
    pools: dict[str, list[float]], seeds: list[int], ways: dict[str, Any], folder: Path
) -> None:
    rows = [[seed, *(repr(scores[i]) for scores in pools.values())] for i, seed in enumerate(seeds)]
    path = folder / "wide.csv"
    path.write_bytes(written([["seed", *pools], *rows], ways))
    expected = {
        (agent, "", seed): score for agent, scores in pools.items() for seed, score in zip(seeds, scores, strict=True)
    }
    assert _bits(expected) == _bits(found(read(path)))


@st.composite
def _trees(draw: st.DrawFn) -> dict[tuple[str, int], list[tuple[float, int]]]:
    """(agent, seed) -> training episodes: return, length."""
    episodes = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 500)), min_size=1, max_size=8)
    agents = draw(st.lists(st.sampled_from(["ppo", "sac", "my-agent"]), min_size=1, max_size=2, unique=True))
    return {(agent, seed): draw(episodes) for agent in agents for seed in range(draw(st.integers(1, 3)))}


@FEW
@given(tree=_trees(), end=st.sampled_from(["", "\n", "1", "1.5,20", "1.5,20,"]))
def test_monitor_files_come_back_and_a_torn_last_line_does_not(
    tree: dict[tuple[str, int], list[tuple[float, int]]], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("monitor") / "logs"
    for (agent, seed), episodes in tree.items():
        place = root / agent / f"seed_{seed}" / "monitor.csv"
        place.parent.mkdir(parents=True)
        clock = np.cumsum([length for _, length in episodes]) / 1000
        lines = [f"{r!r},{n},{t!r}" for (r, n), t in zip(episodes, clock.tolist(), strict=True)]
        head = '#{"t_start": 1000.0, "env_id": "CartPole-v1"}\nr,l,t\n'
        place.write_text(head + "\n".join(lines) + "\n" + end)
    records = read(root)
    told = {(one.spec.agent, one.spec.seed): one.episodes for one in records}
    assert {key: [r for r, _ in episodes] for key, episodes in tree.items()} == {
        key: one.returns.tolist() for key, one in told.items()
    }
    assert {key: [n for _, n in episodes] for key, episodes in tree.items()} == {
        key: one.lengths.tolist() for key, one in told.items()
    }

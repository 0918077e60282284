"""Figures: parts of an audit in, a matplotlib `Figure` out. They draw what `results.py` holds and compute no statistic.

A new figure is one function with annotated parameters, and one line here; `tests/test_figures.py` then draws it from
every odd audit. `to_svg` makes the text that the report carries.
"""

from collections.abc import Callable

from matplotlib.figure import Figure

from rlaudit.figures.claims import claim_intervals
from rlaudit.figures.convex import loss_distances, loss_paths
from rlaudit.figures.curves import same_agent_curves
from rlaudit.figures.evaluation import evaluation_noise, more_of_what
from rlaudit.figures.failures import seeds_apart, stuck_runs, without_seeds
from rlaudit.figures.initializers import gain_effects, initializers
from rlaudit.figures.leaderboard import agent_matrix, first_place, performance_profiles, rank_intervals
from rlaudit.figures.looks import looks
from rlaudit.figures.metrics import metric_choice
from rlaudit.figures.pairs import estimation, exaggeration, few_seeds, forest, power, wrong_sign
from rlaudit.figures.procedures import habits
from rlaudit.figures.reproduction import same_run
from rlaudit.figures.seeds import false_positives, gap_by_group_size, p_histogram, seed_strip, wrong_winner
from rlaudit.figures.sources import one_stream_fixed, variance_sources
from rlaudit.figures.svg import to_svg
from rlaudit.figures.tickets import luck_drawn_anew, tickets_by_sparsity

__all__ = ["FIGURES", "to_svg"]

FIGURES: dict[str, Callable[..., Figure]] = {
    "looks": looks,
    "claim_intervals": claim_intervals,
    "same_agent_curves": same_agent_curves,
    "gap_by_group_size": gap_by_group_size,
    "seed_strip": seed_strip,
    "p_histogram": p_histogram,
    "false_positives": false_positives,
    "wrong_winner": wrong_winner,
    "estimation": estimation,
    "forest": forest,
    "few_seeds": few_seeds,
    "wrong_sign": wrong_sign,
    "power": power,
    "exaggeration": exaggeration,
    "habits": habits,
    "seeds_apart": seeds_apart,
    "stuck_runs": stuck_runs,
    "without_seeds": without_seeds,
    "rank_intervals": rank_intervals,
    "first_place": first_place,
    "agent_matrix": agent_matrix,
    "performance_profiles": performance_profiles,
    "metric_choice": metric_choice,
    "evaluation_noise": evaluation_noise,
    "more_of_what": more_of_what,
    "same_run": same_run,
    "variance_sources": variance_sources,
    "one_stream_fixed": one_stream_fixed,
    "loss_distances": loss_distances,
    "loss_paths": loss_paths,
    "tickets_by_sparsity": tickets_by_sparsity,
    "luck_drawn_anew": luck_drawn_anew,
    "initializers": initializers,
    "gain_effects": gain_effects,
}

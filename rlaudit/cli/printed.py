"""The verb recheck: printed numbers in, what is wrong with them out."""

import sys
from typing import TYPE_CHECKING

import click

from rlaudit.errors import ConfigError

if TYPE_CHECKING:
    from rlaudit.printed import PrintedResult

FLAGGED = 1  # with --gate
_OF_A_GROUP = ("mean", "sd", "se", "ci", "n")


@click.command()
@click.argument("printed", nargs=-1, metavar="[TABLE.csv | 'RESULT']...")
@click.option("--mean", multiple=True, metavar="X", help="Mean of a group; twice for two groups, in their order.")
@click.option("--sd", multiple=True, metavar="X", help="Standard deviation over seeds, once for each mean.")
@click.option("--se", multiple=True, metavar="X", help="Or the standard error of the mean.")
@click.option("--ci", multiple=True, metavar="X", help="Or the 95 % interval: its half width, or 'low, high'.")
@click.option("-n", multiple=True, metavar="N", help="Seeds of each group.")
@click.option("--integer", is_flag=True, help="Returns are whole numbers: which means and sds are impossible?")
@click.option("--episodes", metavar="K", help="Each score is the mean of K whole returns.")
@click.option("--effect", type=float, metavar="X", help="A true difference in units of the score: its power.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="The level of the conclusions.")
@click.option("--gate", is_flag=True, help="Exit with 1 where something is flagged.")
@click.option("--json", "as_json", is_flag=True, help="All numbers on standard output (schema rlaudit.recheck/1).")
@click.option("-q", "--quiet", is_flag=True, help="Only the first line.")
@click.pass_context
def recheck(
    ctx: click.Context,
    /,
    printed: tuple[str, ...],
    integer: bool,
    episodes: str | None,
    effect: float | None,
    alpha: float,
    gate: bool,
    as_json: bool,
    quiet: bool,
    **groups: tuple[str, ...],
) -> None:
    """Audit printed numbers: do they agree with each other, are they possible, what are they worth? No runs needed.

    A result is written as people write it; keep the decimals, they say how it was rounded:

    \b
      rlaudit recheck "t(8) = 2.31, p = .04, n = 5, 5"
      rlaudit recheck "KS D = .80, p = .036, n = 5, 5" "U = 3, p = .03, n = 5"
      rlaudit recheck "247 ± 145 (n = 20) vs 186 ± 120 (n = 20), p = .15"
      rlaudit recheck --mean 247 --sd 145 -n 20 --mean 186 --sd 120 -n 20

    Words it knows: t, D or KS, U or W, df, p, n, n1, n2, mean, ± (sd, se or 95 % CI may follow), sd, se, CI [a, b],
    min, max, vs, Welch, Student, paired, permutation, one-sided, integer, K episodes, and a label before a colon.

    A TABLE has a row per result and any of the columns where, test (t, student, welch, paired_t, ks, mann_whitney,
    permutation), n or n1 and n2, statistic, df, p, sides, mean1, sd1, se1, ci1, min1, max1, mean2, ... (or mean, sd
    of one group), integer, episodes.

    Checked: t against p (Student, every df of Welch, one-sided), KS and U against exact and asymptotic p, p-values and
    means (GRIM, GRIMMER) that are impossible at this n, sd against se, interval and range, the test that follows from
    the means; power, type S and M at plausible effects, and what a repetition would show.
    """
    from rlaudit import rechecking, terminal
    from rlaudit.cli.printed_text import print_recheck
    from rlaudit.printed import to_json

    rows = [rechecking.read(source) for source in printed]
    results = [result for one in rows for result in one.results]
    if any(groups.values()):
        extra = {"integer": "yes" if integer else "", "episodes": episodes or ""}
        results.append(_of_options(groups, extra))
    elif integer or episodes:
        results = [_whole(result, episodes) for result in results]
    if not results:
        raise click.UsageError("Give a table, a result in quotes, or --mean, --sd and -n.")
    ignored = [name for one in rows for name in one.ignored]
    found = rechecking.checked(results, ignored, alpha=alpha, effect=effect)
    print_recheck(found, terminal.console(sys.stderr if as_json else sys.stdout), quiet=quiet)
    if as_json:
        click.echo(to_json(found), nl=False)
    ctx.exit(FLAGGED if gate and found.n_flagged else 0)


def _of_options(groups: dict[str, tuple[str, ...]], extra: dict[str, str]) -> "PrintedResult":
    """One result from --mean, --sd, ...; each of them once for every group."""
    from rlaudit.printed import of_cells

    given = {name: groups[name] for name in _OF_A_GROUP if groups[name]}
    sizes = {len(values) for values in given.values()}
    if len(sizes) > 1 or max(sizes) > 2:
        counts = ", ".join(f"{'-' if name == 'n' else '--'}{name} {len(values)}" for name, values in given.items())
        raise ConfigError(f"each group needs the same options, for one or two groups; given so many times: {counts}")
    suffixes = ("",) if sizes == {1} else ("1", "2")
    cells = {
        f"{name}{suffix}": value for name, all_ in given.items() for suffix, value in zip(suffixes, all_, strict=True)
    }
    result, problems = of_cells({**cells, **extra}, "")
    if result is None:
        raise ConfigError("\n".join(f"--{column}: {text}" if column else text for column, text in problems))
    return result


def _whole(result: "PrintedResult", episodes: str | None) -> "PrintedResult":
    from dataclasses import replace

    if episodes is not None and not (episodes.isdecimal() and int(episodes) > 0):
        raise ConfigError(f"--episodes {episodes}: give a whole number from 1 up")
    return replace(result, integer=True, episodes=int(episodes or result.episodes))

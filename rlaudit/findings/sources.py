"""Where does the variance come from?"""

from collections.abc import Iterator

from rlaudit.evaluation_noise import NOISY
from rlaudit.results import Audit, ShareOf, Sources
from rlaudit.types import Finding, Level
from rlaudit.wording import label_of, listed, number, on, several

_MOST = 0.5  # a part is most of the variance where its whole interval lies above


def sources(audit: Audit) -> Iterator[Finding]:
    """For each agent and task: the largest part, the noise of evaluation, what fixing a seed buys, what is missing."""
    for one in audit.sources:
        yield from _incomplete(one)
        if one.together is None:
            yield _nothing(one)
            continue
        yield _largest(one)
        yield from _unused(one)
        yield from _evaluation(one)
        yield _fixing(one)


def _largest(one: Sources) -> Finding:
    """Most of the variance, where an interval says so; else whether a single source can still be most of it."""
    parts = _parts(one)
    name = max(parts, key=lambda each: parts[each].share)
    evidence = {f"{each}_{end}": getattr(parts[each], end) for each in parts for end in ("share", "low", "high")}
    largest = f"{_is(name, one)}: {parts[name].words}. {_alone(one, name)}"
    if parts[name].low > _MOST:
        said = f"Most of the variance of {_name(one)} {largest}"
        return Finding(_title(name), said, Level.WARN if name == "noise" else Level.OK, evidence, _step(name))
    can_be_most = [each for each, part in parts.items() if each != "together" and part.high >= _MOST]
    if not can_be_most:
        said = f"No source alone makes up half of the variance of {_name(one)}. The largest part {largest}"
        return Finding(_title("together"), said, Level.OK, evidence, _step("together"))
    return Finding(
        "Not clear where the variance comes from",
        f"The largest part of the variance of {_name(one)} {largest} But {_design(one)} levels leave open whether half "
        f"of it comes from {listed([_called(each) for each in can_be_most], 'or')}.",
        Level.WARN,
        evidence,
        f"Cross more levels, such as sources: {{{can_be_most[0]}: 10}}; the runs that are there stay."
        if can_be_most != ["noise"]
        else _step("noise"),
    )


def _parts(one: Sources) -> dict[str, ShareOf]:
    """What can be most of the variance: a stream alone, what streams do together, the noise of evaluation."""
    named = {str(each.stream): each.alone for each in one.streams}
    return named | {name: part for name, part in (("together", one.together), ("noise", one.noise)) if part}


def _title(name: str) -> str:
    return {"together": "No single source", "noise": "Mostly noise of evaluation"}.get(name, "One source stands out")


def _step(name: str) -> str:
    return {
        "together": "Draw weights, environment and sampling anew for every run, and train more of them: no stream can "
        "be fixed to make results surer.",
        "noise": "Evaluate each run on more episodes before you train more of them.",
    }.get(name, f"Draw as many seeds of the {label_of(name)} as you can: the other streams matter less.")


def _called(name: str) -> str:
    return "noise of evaluation" if name == "noise" else f"the {label_of(name)}"


def _is(name: str, one: Sources) -> str:
    if name == "together":
        unknown = "" if one.noise else ", or to their evaluation, which cannot be told apart here"
        return f"belongs to no source alone, but to combinations of them{unknown}"
    return f"is {_called(name)}" if name == "noise" else f"comes from {_called(name)} alone"


def _alone(one: Sources, but: str) -> str:
    """What streams explain, without the one that was named already."""
    said = [f"the {label_of(each.stream)} {each.alone.words}" for each in one.streams if each.stream != but]
    return f"Alone: {listed(said)}."


def _evaluation(one: Sources) -> Iterator[Finding]:
    """More seeds or more episodes?"""
    if one.noise is None or not one.noise.high:
        return
    noisy = one.noise.share > NOISY
    sure = one.noise.low > NOISY if noisy else one.noise.high <= NOISY
    doubt = "" if sure else "As far as these levels tell: "
    answer = "more evaluation episodes as well as more seeds" if noisy else "more seeds, not more evaluation episodes"
    yield Finding(
        "Noisy evaluations" if noisy else "Evaluations are no bottleneck",
        f"{one.noise.words} of the variance of a score of {_name(one)} is noise of its {one.n_episodes} evaluation "
        "episodes, and endless episodes would take away no more than that.",
        Level.WARN if noisy else Level.OK,
        {"share": one.noise.share, "low": one.noise.low, "high": one.noise.high, "n_episodes": one.n_episodes},
        f"{doubt}{answer if not sure else answer[0].upper() + answer[1:]}.",
    )


def _fixing(one: Sources) -> Finding:
    """A fixed seed, and the same seeds for two agents, take away the main effect of a stream and nothing else."""
    env = next(each for each in one.streams if each.stream == "env")
    left = [f"{each.without_this.as_sd.words} with the {label_of(each.stream)} fixed" for each in one.streams]
    return Finding(
        "What a fixed seed buys",
        f"Of the standard deviation of {_name(one)} there is left {listed(left)}. Only the part that a stream explains "
        "alone goes away; the same environment seeds for two agents that react to them alike would take "
        f"{env.alone.words} off the variance of their difference.",
        Level.OK,
        {f"{each.stream}_{end}": getattr(each.without_this, end) ** 0.5 for each in one.streams
         for end in ("share", "low", "high")},
        "Draw every stream anew for each run; fix a seed only to repeat a run.",
    )  # fmt: skip


def _unused(one: Sources) -> Iterator[Finding]:
    for each in one.streams:
        if each.unused:
            yield Finding(
                "A seed that nothing uses",
                f"Runs of {_name(one)} that differ in nothing but the seed of the {label_of(each.stream)} end with the "
                "same weights, to the bit: nothing draws from it.",
                Level.WARN,
                {"levels": len(each.levels)},
                "Expected where nothing is random there (an environment that always starts the same); else find out "
                "what ignores the seed: rlaudit reproduce.",
            )


def _incomplete(one: Sources) -> Iterator[Finding]:
    if not (one.n_failed or one.n_missing):
        return
    why = [f"{one.n_failed} of {len(one.runs)} runs failed"] if one.n_failed else []
    why += [f"{one.n_missing} planned runs are not trained yet"] if one.n_missing else []
    left = ""
    if one.dropped:
        left = (
            f" To keep every combination of levels, {several(one.dropped)} and {one.n_left_out} finished runs are left "
            f"out; {one.n_analysed} are taken apart."
        )
    yield Finding(
        "Runs are missing from the design",
        f"{_name(one)}: {listed(why)}.{left}{_with_failed(one)}",
        Level.WARN,
        {"n_failed": one.n_failed, "n_missing": one.n_missing, "n_left_out": one.n_left_out, "n": one.n_analysed},
        "Read the failed runs first (their tracebacks are in failed/)." if one.n_failed else "Train the rest.",
    )


def _with_failed(one: Sources) -> str:
    """The largest component both ways; a failure is the worst that can happen, and no number of the others."""
    if not one.imputed:
        return ""
    part = max(zip(one.components, one.imputed, strict=True), key=lambda pair: pair[1].share)
    return (
        f" With every failed run counted as the worst score ({number(one.floor)}), the largest part is "
        f"{part[0].name}, {part[1].words}; without them that is {part[0].of_total.words}."
    )


def _nothing(one: Sources) -> Finding:
    if one.sd is not None:
        return Finding(
            "No variance",
            f"All runs of {_name(one)} have the score {number(one.mean)}: there is no variance to take apart.",
            Level.WARN,
            {"mean": one.mean, "n": one.n_analysed},
            "Choose a score that still differs where the task is solved, such as auc.",
        )
    return Finding(
        "Nothing can be said",
        f"Too few combinations of {_name(one)} have a score: there are no two levels of each stream that all met.",
        Level.UNSAFE,
        {"n": len(one.runs) - one.n_failed},
        "Train what is missing, or find out why runs fail.",
    )


def _name(one: Sources) -> str:
    return f"{one.agent}{on(one.task)}"


def _design(one: Sources) -> str:
    return " x ".join(map(str, one.levels.values()))

"""Does the same seed give the same run, what makes it another one, and what the seed does not reach."""

from collections.abc import Iterator, Mapping, Sequence

from rlaudit.results import Audit, Draw, Reproduction, Trial
from rlaudit.results.reproduction import WHERE
from rlaudit.types import Finding, Level
from rlaudit.wording import listed, on, sentence, several

_STREAMS = {"other init": "initial weights", "other env": "environment", "other algo": "algorithm"}
_ADVICE: Mapping[str, str] = {  # source -> what to do
    "hash order": "Sort what comes out of a set or of hash() before it is used; PYTHONHASHSEED=0 only hides it.",
    "clock": "Count steps instead of seconds wherever the run depends on time.",
    "entropy": "Look for default_rng(), Random(), seed() and os.urandom() without a seed, and draw from a generator "
    "that the seed reaches: an environment from self.np_random.",
    "resets": "Make the generator at the first reset and keep it: later resets come without a seed.",
    "spaces": "Seed the spaces that are sampled: env.action_space.seed(seed) and env.observation_space.seed(seed).",
    "process": "Take no seed from the number of the process.",
    "evaluation": "Give evaluation an environment and generators of its own.",
    "environments": "Look for what the environments share; give each its own generator.",
}
_GLOBAL = {"random": "Python's global generator (random)", "numpy": "NumPy's global generator (np.random)",
           "torch": "torch's global generator"}  # fmt: skip


def reproduction(audit: Audit) -> Iterator[Finding]:
    """For each agent what is wrong; and what holds, together."""
    yield from _holds([one for one in audit.reproduction if one.reproducible])
    for one in audit.reproduction:
        for rule in _RULES:
            yield from rule(one)


def _name(one: Reproduction) -> str:
    return f"{one.agent}{on(one.task)}"


# ---------------------------------------------------------------- what is wrong


def _untried(one: Reproduction) -> Iterator[Finding]:
    if one.n_failed:
        yield Finding(
            f"{one.agent}: trials failed",
            f"{one.n_failed} {'run' if one.n_failed == 1 else 'runs'} of {_name(one)} failed, so that "
            f"{'nothing' if one.reproducible is None else 'not everything'} could be compared: "
            f"{sentence(one.error[:200])}",
            Level.UNSAFE if one.reproducible is None else Level.WARN,
            {"n_failed": one.n_failed},
            "A trial works in an empty folder: files that an environment needs must be found by their full path.",
        )


def _differs(one: Reproduction) -> Iterator[Finding]:
    trial = one.difference
    if trial is None or trial.first is None:
        return
    yield Finding(
        f"{one.agent}: the same seed gives another run",
        f"The same seed gives another run: {_name(one)}, seed {one.seed}, trained {trial.label} {parting(trial)} "
        f"{_why(one, trial)}",
        Level.UNSAFE,
        {
            "step": trial.first.step,
            "after": trial.first.after,
            "channel": trial.first.channel,
            "where": trial.first.where,
            "sources": ", ".join(one.sources) or None,
        },
        " ".join(_ADVICE[name] for name in one.sources) or "Compare two runs by hand from that step on.",
    )


def parting(trial: Trial) -> str:
    """`differs from the first run at step 12, first in the rewards (equal actions got ...).`"""
    first = trial.first
    assert first is not None
    when = "" if first.step is None else f" at step {first.step:,}"
    if first.after is not None and first.step is not None and first.step - first.after > 1:
        when = f" between steps {first.after:,} and {first.step:,}"
    return f"differs from the first run{when}, first in the {first.channel} ({WHERE[first.where]})."


def _why(one: Reproduction, trial: Trial) -> str:
    tried = [source for source in one.of("source") if source.name in _ADVICE]
    if trial.name != "again":
        return "In a fresh process of its own it does not."
    if not tried:
        return "No source of chance could be held still here."
    names = [f"{source.label}" for source in tried if source.name in one.sources]
    steps = next((source.steps for source in one.of("source") if source.equal), 0)
    if not names:
        return (
            f"The source is not among those that were held still, one at a time and together: "
            f"{several([source.label for source in tried], 8)}."
        )
    if one.together:
        return f"Only with {listed(names)} held still at once do two trials agree (over {steps:,} steps)."
    others = f", and with none of {len(tried) - len(names)} other sources" if len(tried) > len(names) else ""
    return (
        f"With {listed(names, 'or')} held still two trials agree over {steps:,} steps{others}: "
        f"{'that is the source' if len(names) == 1 else 'there the source lies'}."
    )


def _unused(one: Reproduction) -> Iterator[Finding]:
    """Seeds that change nothing."""
    equal = [trial for trial in one.of("seed") if trial.equal]
    if one.unused_seed:
        yield Finding(
            f"{one.agent}: the seed is not used",
            f"Two different seeds give the same run: {_name(one)} does not use its seed. All of its seeds are one run, "
            f"whatever their number (compared over {equal[0].steps:,} steps).",
            Level.UNSAFE,
            {"steps": equal[0].steps},
            "Find where the agent or its environment sets a constant seed.",
        )
        return
    for trial in equal:
        stream = _STREAMS[trial.name]
        why = "it is deterministic, or it ignores the seed" if stream == "environment" else "it is not used"
        yield Finding(
            f"{one.agent}: the seed of the {stream} changes nothing",
            f"Another seed for the {stream} alone changes nothing in {trial.steps:,} steps of {_name(one)}: {why}.",
            Level.WARN,
            {"steps": trial.steps, "stream": stream},
            "Fine where nothing is random there; else look for a constant seed.",
        )


def _draws(one: Reproduction) -> Iterator[Finding]:
    """Generators that do not belong to the environment."""
    for draw in one.draws:
        yield Finding(
            f"{one.agent}: the environment draws from {_GLOBAL.get(draw.name, draw.name)}",
            f"The environment {one.task} draws from {_GLOBAL.get(draw.name, draw.name)} ({_often(draw)}), which its "
            f"own seed does not reach. {_so_what(draw)}",
            Level.WARN,
            {"generator": draw.name, "resets": draw.resets, "steps": draw.steps, "watched": draw.watched},
            "Draw from self.np_random, which a reset with a seed seeds.",
        )


def _often(draw: Draw) -> str:
    resets = f"{draw.resets:,} {'reset' if draw.resets == 1 else 'resets'}" if draw.resets else ""
    steps = f"{draw.steps:,} of {draw.watched:,} steps" if draw.steps else ""
    return f"in {listed(list(filter(None, (resets, steps))))} that were watched"


def _so_what(draw: Draw) -> str:
    if draw.name in _GLOBAL:
        return (
            "rlaudit seeds it for the algorithm, so that these runs repeat; elsewhere they may not, and the "
            "environment's luck hangs on what the agent draws."
        )
    return "All of its environments share it, those of evaluations included."


def _changes(one: Reproduction) -> Iterator[Finding]:
    """Circumstances that should not matter."""
    parted = {trial.name for trial in one.of("change") if not trial.equal}
    explained = {"process"} if "folder" in parted else set()  # the second run in a process finds its folder, too
    for trial in one.of("change"):
        if trial.first is not None and trial.name not in explained:
            title, said, level, advice = _CHANGES[trial.name]
            files = one.left_behind if trial.name == "folder" else ()
            left = f" Left behind: {several(files)}." if files else ""
            yield Finding(
                f"{one.agent}: {title}",
                f"{said.format(name=_name(one))} {sentence(trial.label).rstrip('.')} it {parting(trial)}{left}",
                level,
                {"step": trial.first.step, "channel": trial.first.channel, "where": trial.first.where},
                advice,
            )


_CHANGES: Mapping[str, tuple[str, str, Level, str]] = {
    "threads": (
        "another number of threads gives other bits",
        "{name} repeats only with the same number of threads.",
        Level.OK,
        "Fix the number of threads, as rlaudit does (one), and state it.",
    ),
    "env threads": (
        "the environment depends on the number of threads",
        "What the environment of {name} answers depends on the number of threads.",
        Level.WARN,
        "Fix the number of threads, or take it out of what the environment computes.",
    ),
    "evaluation": (
        "evaluation changes training",
        "How often {name} is evaluated changes its training: training and evaluation share something.",
        Level.WARN,
        "Look for what all environments of a class share: a generator, a counter, a cache.",
    ),
    "folder": (
        "a run finds what an earlier one left behind",
        "{name} gives another run where one was before.",
        Level.UNSAFE,
        "Let every run start in an empty folder, or remove what it writes.",
    ),
    "process": (
        "a second run in the same process is another one",
        "{name} leaves something behind in its process.",
        Level.WARN,
        "Train every seed in a process of its own, as rlaudit does; a loop over seeds in one script does not.",
    ),
}


# ---------------------------------------------------------------- what holds


def _holds(sound: Sequence[Reproduction]) -> Iterator[Finding]:
    if not sound:
        return
    trials = [trial for one in sound for trial in one.of("same")]
    steps = sorted({trial.steps for trial in trials})
    over = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    names = several(list(dict.fromkeys(_name(one) for one in sound)))
    yield Finding(
        "The same seed gives the same run",
        f"{len(trials)} of {len(trials)} trials of {names} agree with the first run to the bit over {over} steps, "
        f"{_under(sound)}.",
        Level.OK,
        {"trials": len(trials), "steps": steps[-1]},
        "State versions, processor and number of threads beside the seed: this was one machine, and says nothing of "
        "others.",
    )


def _under(sound: Sequence[Reproduction]) -> str:
    """The conditions under which they were trained again."""
    pool = " and in a pool" if all(any(trial.name == "pool" for trial in one.of("same")) for one in sound) else ""
    seeds = "; and another seed gives another run" if all(one.of("seed") for one in sound) else ""
    return f"in processes of their own{pool}{seeds}"


_RULES = (_differs, _unused, _untried, _changes, _draws)

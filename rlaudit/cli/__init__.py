"""The command line: one function per verb. What a verb needs is imported when it runs; `--help` takes no time."""

import errno
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from rlaudit.cli.foreign import export, import_runs
from rlaudit.cli.habits import calibrate
from rlaudit.cli.laboratory import reproduce
from rlaudit.cli.planning import plan
from rlaudit.cli.printed import recheck
from rlaudit.cli.running import audit, report, train
from rlaudit.cli.shelves import init, list_names, schema
from rlaudit.cli.watching import status
from rlaudit.errors import RlauditError

USAGE_ERROR, INTERRUPTED = 2, 130  # the others: findings.exit_code


class _Failure(click.ClickException):
    """One clear message on standard error, no traceback."""

    exit_code = USAGE_ERROR


class _Verbs(click.Group):
    """Turns what a user can mend into a message, and Ctrl-C into the line that resumes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _terminable():
                return super().invoke(ctx)
        except RlauditError as error:
            from rlaudit.terminal import printable

            failure = _Failure(printable("\n".join([str(error), *getattr(error, "__notes__", ())])))
            failure.exit_code = error.exit_code  # type: ignore[misc]  # click reads it of the instance
            raise failure from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise _Failure("the name of a file is longer than this system allows") from None
        except KeyboardInterrupt:
            click.echo("\nInterrupted. Nothing is lost but the runs that were in progress. To go on:", err=True)
            click.echo(f"    {shlex.join(['rlaudit', *sys.argv[1:]])}", err=True)
            ctx.exit(INTERRUPTED)


@contextmanager
def _terminable() -> Iterator[None]:
    """What queues and shutdowns send (SIGTERM) ends a command as Ctrl-C does: workers, locks and scratch files go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rlaudit", message="rlaudit %(version)s")
def main() -> None:
    """Would other seeds have told another story?

    rlaudit audits reinforcement-learning results for seed variance: how different the same agent can look, which
    conclusions the seeds carry, and how many more would settle them.

    \b
      rlaudit audit configs/quickstart.yaml    train, audit, report
      rlaudit audit logs/                      audit what exists, in any known format
      rlaudit status results/quickstart        how far a training is that runs elsewhere
      rlaudit plan my-config.yaml              what it costs, what it can show
      rlaudit calibrate scores.csv             how often other ways to conclude would go wrong
      rlaudit recheck "t(8) = 2.31, p = .05"   numbers that somebody printed
      rlaudit reproduce my-config.yaml         does the same seed give the same run?

    Exit codes: 0 fine, 1 a conclusion does not hold (a claim is contradicted; the same seed gives another
    run; with --gate also failed seeds that turn a comparison), 2 usage, config or data error, 3 inconclusive
    (--gate: a claim is undecided or fragile; without claims, a comparison is undecided), 4 runs failed, 130
    interrupted.
    """


for verb in (
    audit, train, status, import_runs, export, plan, calibrate, recheck, reproduce, report, list_names, schema, init,
):  # fmt: skip
    main.add_command(verb)

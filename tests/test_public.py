"""What others import, and what that costs them."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import rlaudit

HEAVY = {"torch", "stable_baselines3", "gymnasium", "pandas", "scipy", "matplotlib", "seaborn", "numpy"}


def loaded_by(code: str) -> set[str]:
    """The heavy packages in `sys.modules` after `code`, in a fresh interpreter."""
    script = f"import json, sys\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(run.stdout.splitlines()[-1])
    return HEAVY & set(modules)


def test_importing_rlaudit_loads_nothing_heavy() -> None:
    assert loaded_by("import rlaudit") == set()


def test_who_trains_or_looks_on_loads_no_figures_and_no_statistics() -> None:
    """2.5 s of CPU that a training would begin with."""
    assert loaded_by("import rlaudit.status\nfrom rlaudit.terminal import ProgressDisplay, print_status") == {"numpy"}


def test_importing_the_pytest_plugin_loads_nothing_heavy() -> None:
    assert loaded_by("import rlaudit.pytest_plugin") == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([verb, "--help"] for verb in ("audit", "plan", "status", "calibrate", "recheck"))],
    ids=" ".join,
)
def test_the_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from rlaudit.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert loaded_by(code) == set()


def test_auditing_a_table_needs_no_torch() -> None:
    code = (
        "for name in ('torch', 'stable_baselines3', 'gymnasium'):\n    sys.modules[name] = None\n"
        "import rlaudit\n"
        "audit = rlaudit.audit({'a': [1.0, 2.0, 3.0, 5.0], 'b': [2.0, 4.0, 4.0, 9.0]}, group_sizes=(2,))\n"
        "assert audit.comparisons"
    )
    loaded_by(code)


@pytest.mark.parametrize("name", rlaudit.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(rlaudit, name)
    assert isinstance(value, str) or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'adit'"):
        _ = rlaudit.adit


def test_the_version_is_that_of_the_installed_package() -> None:
    assert version("rlaudit") == rlaudit.__version__

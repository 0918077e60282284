"""Ten thousand spoilt files: each is an error in words or the numbers that stand in it."""

from pathlib import Path

import pytest
from fuzz_laws import Workspace, cases, judged, original, outcome
from fuzz_samples import SAMPLES

from rlaudit.importers import IMPORTERS


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "fuzz")


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_spoilt_sample_is_an_error_or_its_own_numbers(sample: str, workspace: Workspace) -> None:
    workspace.hold(original(sample))
    whole = outcome(workspace.sources(), SAMPLES[sample])
    assert (None, None) == (whole.crash, whole.error)
    broken = [law for case in cases(sample, SAMPLES[sample].n_inputs) for law in judged(case, workspace, whole)]
    assert [] == broken


def test_every_importer_is_fuzzed_and_ten_thousand_inputs_are_made() -> None:
    assert set(IMPORTERS) == {sample.format for sample in SAMPLES.values()}
    assert sum(sample.n_inputs for sample in SAMPLES.values()) >= 10_000

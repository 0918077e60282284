"""What several runs need is made once, and anew where it is gone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rlaudit.backends.memo import Arrays, remembered


class Counted:
    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> Arrays:
        self.n += 1
        return {"mask": np.array([True, False]), "score": np.array(self.n)}


def test_it_is_made_once_for_all_who_need_it(tmp_path: Path) -> None:
    make = Counted()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: remembered(str(tmp_path), {"seed": 1}, make), range(8)))
    assert 1 == make.n
    assert [1] * 8 == [int(one["score"]) for one in found]
    assert np.array_equal([True, False], found[-1]["mask"])


def test_another_identity_is_another_memo(tmp_path: Path) -> None:
    make = Counted()
    assert [1, 2] == [int(remembered(str(tmp_path), {"seed": seed}, make)["score"]) for seed in (1, 2)]


def test_a_memo_that_is_gone_is_made_anew_and_without_a_folder_each_makes_its_own(tmp_path: Path) -> None:
    make = Counted()
    remembered(str(tmp_path), {"seed": 1}, make)
    for path in tmp_path.glob("*.npz"):
        path.unlink()
    remembered(str(tmp_path), {"seed": 1}, make)
    remembered("", {"seed": 1}, make)
    assert 3 == make.n

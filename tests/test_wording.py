"""Numbers as people read them."""

import pytest

from rlaudit.wording import decided_of, interval, number, p_text, percent, several


@pytest.mark.parametrize(
    ("value", "text"),
    [(57.23, "57.2"), (11919.8, "11,920"), (0.03141, "0.0314"), (-6.1, "-6.10"), (0, "0"), (None, "n/a"),
     (1e-7, "1.00e-07"), (1234567.8, "1,234,568"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_keep_three_significant_digits(value: float | None, text: str) -> None:
    assert text == number(value)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.214, "21 %"), (0.0243, "2.4 %"), (0.0, "0 %"), (1.0, "100 %"), (0.0002, "under 0.1 %"), (0.9997, "over 99.9 %"),
     (0.0996, "10 %"), (None, "n/a")],
)  # fmt: skip
def test_shares_are_never_rounded_to_certainty(share: float | None, text: str) -> None:
    assert text == percent(share)


@pytest.mark.parametrize(
    ("p", "text"),
    [(4.8e-18, "p < 0.001"), (0.0752, "p = 0.075"), (0.0499, "p = 0.0499"), (0.0501, "p = 0.0501"), (0.34, "p = 0.34"),
     (1.0, "p = 1.00"), (None, "no p-value")],
)  # fmt: skip
def test_p_values_never_cross_a_level_by_rounding(p: float | None, text: str) -> None:
    assert text == p_text(p)


def test_an_end_that_cannot_be_said_is_infinite() -> None:
    assert "[-6.10, inf]" == interval(-6.1, None)


def test_all_and_none_are_words() -> None:
    said = [decided_of(3, n_open, "pair") for n_open in (0, 1, 2, 3)]
    assert said == [
        "All 3 pairs are decided",
        "2 of 3 pairs are decided, 1 is not",
        "1 of 3 pairs is decided, 2 are not",
        "Not one of 3 pairs is decided",
    ]


def test_of_many_names_the_first_ones_stand_and_how_many_more() -> None:
    assert "a" == several("a")
    assert "a, b and c" == several("abc")
    assert "a, b, c, d, e and f" == several("abcdef")
    assert "a, b, c, d, e and 2 more" == several("abcdefg")
    assert "a, b and 3 more" == several(("a", "b", "c", "d", "e"), 3)

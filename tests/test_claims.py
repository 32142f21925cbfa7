"""A claim says what it found, in the same words wherever it holds, and never raises."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import claim, provenance
from workbench.claims import MIME, format_interval, format_value, judge, note, to_html, to_text
from workbench.intervals import Estimate


class Treacherous:
    """An object whose conversion to a number goes wrong in its own way."""

    def __float__(self):
        raise RuntimeError("a tensor with 2 elements")


ODD = [
    *(None, math.nan, math.inf, -math.inf, "fast", "", b"x", 10**400, 1j, [], [1, 2], {}, object(), Treacherous()),
    *(np.array([1.0, 2.0]), np.array([]), np.array(["a"], dtype=object), np.float32("nan"), lambda: 1),
    Estimate(math.nan, 0.0, 1.0, 3),
]
odd = st.sampled_from(ODD) | st.floats() | st.text() | st.integers() | st.booleans()
kinds = st.sampled_from(["at_least", "at_most", "close_to"])


@pytest.fixture(autouse=True)
def _here():
    """Each test starts as a notebook does after `prepare`."""
    provenance.set_current({"profile": "cpu", "machine": "amd-epyc-2c-avx2"})
    yield
    provenance.set_current({})


def judged(value, bound=None, unit="fraction", **how):
    return judge("slug.what", value, "says", unit, {"at_least": 0.7} if bound is None else bound, **how)


@given(value=odd, bound=st.dictionaries(kinds, odd, max_size=3), rtol=odd)
def test_no_value_and_no_bound_makes_a_claim_raise(value, bound, rtol):
    found = judged(value, bound | ({"rtol": rtol} if "close_to" in bound else {}))
    assert found.held in (True, False)
    assert to_text(found)[0] in "✓✗"
    assert f'id="claim-{found.id}"' in to_html(found)
    json.dumps(asdict(found), allow_nan=False)


@pytest.mark.parametrize("value", ODD, ids=lambda v: type(v).__name__)
def test_what_is_no_finite_number_misses_and_says_so(value):
    found = judged(value)
    assert found.held is False
    assert found.value is None
    assert "not a number" in found.why_not or "not a finite number" in found.why_not


@pytest.mark.parametrize(
    "bound",
    [
        *({}, {"at_least": 0, "at_most": 1}, {"at_least": "x"}, {"at_least": math.nan}, {"at_most": math.inf}),
        *({"at_most": None}, {"close_to": 1, "rtol": -1}, {"close_to": 1, "rtol": "x"}, {"above": 1}),
        {"at_least": np.zeros(3)},
    ],
    ids=str,
)
def test_a_wrong_bound_is_named_and_never_held(bound):
    found = judged(1.0, bound)
    assert found.held is False
    assert "exactly one of at_least, at_most, close_to" in to_text(found)


def test_claim_itself_survives_a_wrong_bound(capsys):
    claim("slug.what", 1.0, says="fast", at_least="x")
    claim("slug.what", 1.0, says="fast", close_to=1, rtol=-1)
    claim("slug.what", 1.0, says="fast")
    assert capsys.readouterr().out.count("✗ fast: ") == 3


VERDICTS = [
    (0.8, {"at_least": 0.7}, "✓ says: at least 70 %"),
    (0.7, {"at_least": 0.7}, "✓ says: at least 70 %"),
    (0.6, {"at_least": 0.7}, "✗ says: at least 70 %, measured 60 %"),
    (0.6, {"at_most": 0.7}, "✓ says: at most 70 %"),
    (0.8, {"at_most": 0.7}, "✗ says: at most 70 %, measured 80 %"),
    (0.51, {"close_to": 0.5, "rtol": 0.05}, "✓ says: close to 50 % (within 5 %)"),
    (0.6, {"close_to": 0.5, "rtol": 0.05}, "✗ says: close to 50 % (within 5 %), measured 60 %"),
    (math.nan, {"at_least": 0.7}, "✗ says: at least 70 %, not a finite number: nan"),
    (0.9996, {"at_least": 1.0}, "✗ says: at least 100 %, measured 99.96 %"),
]


@pytest.mark.parametrize(("value", "bound", "line"), VERDICTS)
def test_each_verdict_has_its_line(value, bound, line):
    assert to_text(judged(value, bound)) == line
    assert repr(judged(value, bound)) == line


def test_another_machine_is_told_why_nothing_is_claimed():
    found = judged(0.1, only_if=provenance.Condition(False, "needs a processor with amx_int8"))
    assert found.held is None
    assert to_text(found) == "– says: at least 70 % (not claimed here: needs a processor with amx_int8)"
    assert "not claimed here: needs a processor" in to_html(found)
    assert "wb-unclaimed" in to_html(found)


def test_a_condition_that_is_met_judges():
    assert judged(0.1, only_if=provenance.Condition(True, "")).held is False
    assert judged(0.9, only_if=provenance.Condition(True, "")).held is True


@pytest.mark.parametrize("value", [0.9, 0.1, math.nan])
def test_smoke_claims_nothing(value):
    provenance.set_current({"profile": "smoke"})
    assert to_text(judged(value)) == "– says: at least 70 % (not claimed here: smoke sizes are too small)"


def test_an_estimate_carries_its_interval_into_record_and_card():
    found = judged(Estimate(0.8, 0.75, 0.85, 1200))
    assert (found.value, found.low, found.high, found.n) == (0.8, 0.75, 0.85, 1200)
    assert "[75 % to 85 %, n = 1,200]" in to_html(found)
    assert "75 %" not in to_text(found)
    assert "wb-interval" not in to_html(judged(0.8))


def test_a_card_says_where_the_interval_reaches_beyond_the_bound():
    note = "the interval reaches beyond the bound"
    assert note in to_html(judged(Estimate(0.8, 0.65, 0.85, 9)))
    assert note not in to_html(judged(Estimate(0.8, 0.75, 0.85, 9)))
    assert note not in to_html(judged(Estimate(0.6, 0.5, 0.8, 9)))  # missed: the mark says more
    assert note not in to_html(judged(0.8))
    assert note not in to_text(judged(Estimate(0.8, 0.65, 0.85, 9)))


def test_the_record_says_where_it_was_measured():
    bundle = judged(0.8, control=True)._repr_mimebundle_()
    record = bundle[MIME]
    assert record["machine"] == "amd-epyc-2c-avx2"
    assert (record["profile"], record["control"], record["bound"]) == ("cpu", True, {"at_least": 0.7})
    assert bundle["text/plain"] == "✓ says: at least 70 %"
    assert 'title="control"' in bundle["text/html"]


def test_html_is_escaped_wherever_an_author_can_write():
    nasty = '<script>"&'
    condition = provenance.Condition(False, nasty)
    found = judge(nasty, Estimate(1.0, 0.5, 2.0, 9), nasty, nasty, {"at_least": 0.7}, only_if=condition)
    page = to_html(found)
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 7  # id, sentence, value, both ends of the interval, bound, reason


FORMATS = [
    (0.7421, "fraction", "74.2 %"),
    (0.97, "fraction", "97 %"),
    (1, "fraction", "100 %"),
    (0.0, "fraction", "0 %"),
    (-0.02, "fraction", "-2 %"),
    (0.0004, "fraction", "0.04 %"),
    (0.999, "fraction", "99.9 %"),
    (0.9995, "fraction", "99.95 %"),
    (0.9996, "fraction", "99.96 %"),
    (0.99996, "fraction", "99.996 %"),
    (1.0004, "fraction", "100.04 %"),
    (-0.9996, "fraction", "-99.96 %"),
    (0.99992, "cosine", "0.9999 cosine"),
    (1, "cosine", "1 cosine"),
    (0.9995, "correlation", "0.9995 correlation"),
    (1.0002, "ratio", "1×"),
    (1 - 2**-53, "fraction", "100 %"),  # float dust of a mean of ones
    (1.63, "ratio", "1.63×"),
    (100, "ratio", "100×"),
    (4.5678, "ms", "4.57 ms"),
    (1234567, "calls", "1,234,567 calls"),
    (12345678901, "", "1.23e+10"),
    (0.000123, "s", "0.000123 s"),
    (1e-5, "s", "1e-05 s"),
    (None, "ms", "no value"),
    (math.nan, "ms", "nan ms"),
]


@pytest.mark.parametrize(("value", "unit", "text"), FORMATS)
def test_a_value_reads_as_prose(value, unit, text):
    assert format_value(value, unit) == text


@given(st.floats(0, 2, exclude_min=True).filter(lambda value: abs(value - 1) > 1e-11))
def test_only_one_is_a_hundred_percent(value):
    assert format_value(value, "fraction") != "100 %"


@given(st.floats(0.001, 900))
def test_three_digits_are_within_half_a_percent(value):
    assert float(format_value(value).replace(",", "")) == pytest.approx(value, rel=0.005)


def test_an_interval_needs_both_ends():
    assert format_interval(0.7, 0.8, "fraction") == "70 % to 80 %"
    assert format_interval(None, 0.8) == format_interval(0.7, None) == ""


def test_a_quoted_number_says_when_its_claim_does_not_stand_for_it():
    assert note(True) == ""
    assert note(False) == "(did not hold)"
    assert note(None) == "(not claimed here)"

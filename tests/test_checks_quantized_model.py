"""Chapter 23's checks: right answers pass, in any honest form; other mistakes get their hint."""

from itertools import combinations
from math import prod

import numpy as np
import pytest

from workbench.checks.quantized_model import (
    BYTES,
    REPORT,
    ROOMS,
    check_drift,
    check_kinds_to_spare,
    check_stored_mb,
)
from workbench.checks.quantized_release import BUDGET, CASES, check_agreement_kept, check_decide

CHECKS = (check_stored_mb, check_drift, check_kinds_to_spare, check_agreement_kept, check_decide)


def refused(check, answer, hint: str) -> None:
    report = check.judge(answer)
    assert report.passed is False, report
    assert hint in report.message


def stored_mb(tensors):
    return sum(prod(shape) * BYTES[dtype] for shape, dtype in tensors) / 1e6


def drift(a, b):
    return 1 - (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def spare(report, room):
    sets = [s for n in range(len(report) + 1) for s in combinations(report, n)]
    fitting = [s for s in sets if sum(report[k][1] for k in s) <= room]
    return set(max(fitting, key=lambda s: sum(report[k][0] for k in s)))


def pairs(drawn):
    first, second = np.triu_indices(len(drawn), k=1)
    a, b = drawn[first], drawn[second]
    return a[a != b], b[a != b]


def kept(fp32, int8, human, draws, quantiles=(0.025, 0.975)):
    def r(m, p):
        return np.corrcoef(m[p], human[p])[0, 1]

    return tuple(np.quantile([r(int8, p) / r(fp32, p) for p in map(pairs, draws)], quantiles))


def decide(kept, speedup, size_mb, budget):
    if size_mb > budget["size_mb"] or kept[1] < budget["kept"] or speedup[1] < budget["speedup"]:
        return "stop"
    sure = kept[0] >= budget["kept"] and speedup[0] >= budget["speedup"]
    return "ship" if sure else "measure more"


RIGHT = dict(zip(CHECKS, (stored_mb, drift, spare, kept, decide), strict=True))


@pytest.mark.parametrize(("check", "right"), list(RIGHT.items()))
def test_a_right_answer_passes_twice(check, right):
    assert check.judge(right).passed is True
    assert check.judge(right).passed is True


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda ts: sum(prod(s) for s, _ in ts) / 1e6, "numbers, not bytes"),
        (lambda ts: 4 * sum(prod(s) for s, _ in ts) / 1e6, "gave every number 4 bytes"),
        (lambda ts: 8 * stored_mb(ts), "Those are bits"),
        (lambda ts: 1e6 * stored_mb(ts), "Those are bytes"),
        (lambda ts: stored_mb(ts) * 1e6 / 2**20, "MiB"),
        (lambda ts: stored_mb([t for t in ts if t[0]]), "holds one number"),
        (lambda ts: round(stored_mb(ts), 1), "is stored"),
        (lambda ts: stored_mb([(s, d if d != "int64" else "int8") for s, d in ts]), "is stored"),
    ],
)
def test_sizes_are_refused_by_name(answer, hint):
    refused(check_stored_mb, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda a, b: 1 - drift(a, b), "Those are cosines"),
        (lambda a, b: 1 - (a * b).sum(axis=1), "do not have length 1"),
        (lambda a, b: 1 - (a * b).sum(axis=1) / (a * a).sum(axis=1), "one of the two lengths"),
        (lambda a, b: 1 - abs(1 - drift(a, b)), "turned round"),
        (lambda a, b: drift(a, b).mean(), "One number"),
        (lambda a, b: drift(a.T, b.T), "columns"),
        (lambda a, b: drift(a, b)[:, None], "has shape (5, 1)"),
        (lambda a, b: drift(a, b) + 0.1, "expected"),
    ],
)
def test_drifts_are_refused_by_name(answer, hint):
    refused(check_drift, answer, hint)


def test_a_list_of_kinds_is_as_good_as_a_set():
    assert check_kinds_to_spare.judge(lambda report, room: sorted(spare(report, room))).passed is True


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda report, room: set(report), "are allowed"),
        (lambda report, room: report.keys() - spare(report, room), "kinds to quantize"),
        (lambda report, room: {"layer 3"}, "'layer 3' is not a kind"),
        (lambda report, room: set(), "another set removes more drift"),
        (lambda report, room: spare(report, room) if list(report) == list(REPORT) else set(), "another order"),
    ],
)
def test_sets_of_kinds_are_refused_by_name(answer, hint):
    refused(check_kinds_to_spare, lambda report, room: set(answer(report, room)), hint)


def test_the_rooms_tell_every_greedy_rule_from_the_best_set():
    drift_per_mb = sorted(REPORT, key=lambda kind: -REPORT[kind][0] / REPORT[kind][1])
    smallest_first = sorted(REPORT, key=lambda kind: REPORT[kind][1])
    assert drift_per_mb != smallest_first
    assert len({frozenset(spare(REPORT, room)) for room in ROOMS}) >= 5


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda *data: kept(*data)[::-1], "swapped"),
        (lambda *data: kept(*data, quantiles=(0.05, 0.95)), "2.5 % at each end"),
        (lambda fp32, int8, human, draws: kept(int8, fp32, human, draws), "int8 over fp32"),
        (lambda *data: (0.9, 1.1), "expected ["),
        (lambda *data: kept(*data)[0], "Return 2 things"),
    ],
)
def test_intervals_are_refused_by_name(answer, hint):
    refused(check_agreement_kept, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda *case: decide(*case) == "ship", "has no room"),
        (lambda *case: decide(*case).upper(), "not 'SHIP'"),
        (lambda *case: "measure more", 'but every low end is inside the budget: "ship"'),
        (lambda k, s, mb, budget: decide(k, s, mb, BUDGET), "read the limits"),
        (lambda k, s, mb, budget: decide((k[0] - 1e-9, k[1]), s, mb, budget), "exactly on the limit"),
    ],
)
def test_verdicts_are_refused_by_name(answer, hint):
    refused(check_decide, answer, hint)


def test_the_cases_hold_every_verdict():
    assert {case[3] for case in CASES} == {"ship", "stop", "measure more"}

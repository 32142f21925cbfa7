"""Chapter 12's checks accept right answers, however written, and name the slip in wrong ones."""

import math

import numpy as np
import pytest

from workbench.checks import queueing, queueing_pool


def right_utilisation(kinds, servers):
    busy = float(np.dot(*np.array(kinds).T)) / 1000 / servers
    if busy >= 1 or min(rate for rate, _ in kinds) < 0:
        raise ValueError("impossible")
    return busy


def right_waits(arrive, service):
    """By the running minimum of a random walk: another way to be right."""
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - np.diff(arrive))])
    return walk - np.minimum.accumulate(walk)


def right_mean_wait(rate, service):
    mean, uneven = service.mean(), service.std() / service.mean()
    busy = rate * mean
    if busy >= 1:
        raise ValueError("full")
    return busy / (1 - busy) * (1 + uneven**2) / 2 * mean


def right_servers(rate, service, wait):
    if min(rate, service, wait) <= 0:
        raise ValueError("impossible")
    load = rate * service
    servers = math.floor(load) + 1
    while queueing_pool.must_wait(load, servers) * service / (servers - load) > wait:
        servers += 1
    return servers


def right_inside(arrive, leave, begin, end):
    return (np.clip(leave, begin, end) - np.clip(arrive, begin, end)).sum() / (end - begin)


def right_answered(arrive, service, patience):
    free, kept = 0.0, []
    for a, s in zip(arrive, service, strict=True):
        late = max(0.0, free - a)
        kept.append(bool(late <= patience))
        if kept[-1]:
            free = a + late + s
    return kept


RIGHT = {
    queueing.check_waits: right_waits,
    queueing.check_utilisation: right_utilisation,
    queueing.check_mean_wait: right_mean_wait,
    queueing_pool.check_servers_needed: right_servers,
    queueing_pool.check_mean_inside: right_inside,
    queueing_pool.check_answered: right_answered,
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda c: c.__name__)
def test_a_right_answer_passes(check):
    assert check.judge(RIGHT[check]).passed is True


def first_served(arrive, service):
    wait = [service[0]]
    for i in range(1, len(arrive)):
        wait.append(max(0.0, wait[-1] + service[i - 1] - arrive[i] + arrive[i - 1]))
    return np.array(wait)


WRONG = [
    (queueing.check_waits, first_served, "finds an empty server"),
    (queueing.check_waits, lambda a, s: right_waits(a, s)[1:], "first request is missing"),
    (queueing.check_waits, lambda a, s: right_waits(a, s) * 1.01, "should be"),
    (queueing.check_waits, lambda a, s: right_waits(a, s).mean(), "is the shape asked for"),
    (queueing.check_utilisation, lambda k, c: 100 * right_utilisation(k, c), "percentage"),
    (queueing.check_utilisation, lambda k, c: 1 - right_utilisation(k, c), "idle time"),
    (queueing.check_utilisation, lambda k, c: right_utilisation(k, c) / len(k), "the server has to do the sum"),
    (queueing.check_utilisation, lambda k, c: right_utilisation(k, c) + 0.01, "should be"),
    (queueing.check_mean_wait, lambda r, s: r * right_mean_wait(r, s), "Little's law"),
    (queueing.check_mean_wait, lambda r, s: right_mean_wait(r, s) * (1 - r * s.mean()), "forgot to divide by 1 − ρ"),
    (queueing.check_mean_wait, lambda r, s: r * (s.mean() ** 2 + s.var(ddof=1)) / 2 / (1 - r * s.mean()), "n − 1"),
    (queueing_pool.check_servers_needed, lambda *a: right_servers(*a) + 1, "One server too many"),
    (queueing_pool.check_servers_needed, lambda *a: right_servers(*a) - 1, "One server too few"),
    (queueing_pool.check_servers_needed, lambda *a: right_servers(*a) + 0.5, "no fraction of a server"),
    (queueing_pool.check_servers_needed, lambda *a: 12, "servers, you have 12"),
    (queueing_pool.check_mean_inside, lambda a, e, b, t: np.sum(e - a) / (t - b), "all requests of the log"),
    (
        queueing_pool.check_mean_inside,
        lambda a, e, b, t: queueing_pool._counted(a, e, b, t) * (t - b) / t,
        "its length",
    ),
    (queueing_pool.check_mean_inside, lambda a, e, b, t: np.mean((e - a)[(a >= b) & (a < t)]), "mean time inside"),
    (queueing_pool.check_answered, lambda a, s, p: np.ones(len(a), bool), "where is the deadline"),
    (queueing_pool.check_answered, lambda a, s, p: np.flatnonzero(right_answered(a, s, p)), "not an array of shape"),
    (queueing_pool.check_answered, lambda a, s, p: [False, *right_answered(a, s, p)[1:]], "Request 0 is the first"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG, ids=[hint for _, _, hint in WRONG])
def test_a_slip_is_called_by_its_name(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message


def test_a_negative_service_must_be_refused():
    def careless(rate, service, wait):
        return right_servers(rate, abs(service), wait)

    assert "raise ValueError" in queueing_pool.check_servers_needed.judge(careless).message


def test_a_check_does_not_let_an_answer_change_its_data():
    def vandal(arrive, service):
        wanted = right_waits(arrive, service)
        arrive[:], service[:] = 0, 0
        return wanted

    assert queueing.check_waits.judge(vandal).passed is True

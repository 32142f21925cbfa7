"""Checks of chapter 12's first exercises: waits, utilisation, unevenness.

Each check computes the right answer in another way than the chapter does, and the answers of well-known slips, on
cases where they all differ, so that a hint can name the slip.
"""

import numpy as np

from workbench.checks.answers import number, numbers, same
from workbench.checks.napkin import must_refuse
from workbench.checks.report import Hint, check


def recognise(got: np.ndarray, wanted: np.ndarray, slips: dict[str, np.ndarray], what: str) -> None:
    """Pass when `got` is `wanted`; otherwise raise the hint of the slip that returns it, or the first difference."""
    if same(got, wanted, 1e-6):
        return
    for hint, value in slips.items():
        if same(got, value, 1e-6):
            raise Hint(hint)
    if got.shape != wanted.shape:
        raise Hint(f"{what}: {wanted.shape} is the shape asked for, you returned {got.shape}.")
    at = tuple(int(i) for i in np.argwhere(~np.isclose(got, wanted, rtol=1e-6, atol=1e-12))[0])
    where = f" at {list(at)}" if at else ""
    raise Hint(f"{what}{where} should be {wanted[at]:.4g}, you have {got[at]:.4g}.")


# ------------------------------------------------------------------ 12.1


def stream(seed: int, n: int, busy: float) -> tuple[np.ndarray, np.ndarray]:
    """Arrival times and services of a short stream; the first request does not come at zero."""
    rng = np.random.default_rng(seed)
    return 1 + np.cumsum(rng.exponential(1 / busy, n)), rng.exponential(1.0, n)


def starts(arrive, service) -> np.ndarray:
    """When one server takes up each request, from the moment at which it is free."""
    free, taken = 0.0, []
    for a, s in zip(arrive, service, strict=True):
        taken.append(max(a, free))
        free = taken[-1] + s
    return np.array(taken)


def _recursion(arrive, service, step) -> np.ndarray:
    wait = [0.0]
    for i in range(1, len(arrive)):
        wait.append(step(wait[-1], service, i, arrive[i] - arrive[i - 1]))
    return np.array(wait)


def _wait_slips(arrive, service) -> dict[str, np.ndarray]:
    right = starts(arrive, service) - arrive
    first = _recursion(arrive, service, lambda w, s, i, gap: max(0.0, w + s[i - 1] - gap))
    first_served = [service[0]]
    for i in range(1, len(arrive)):
        first_served.append(max(0.0, first_served[-1] + service[i - 1] - (arrive[i] - arrive[i - 1])))
    return {
        "A wait became negative: an idle server does not save time for later. Take the maximum with 0.": (
            _recursion(arrive, service, lambda w, s, i, gap: w + s[i - 1] - gap)
        ),
        "You took each request's own service. It waits for the one before: service_s[i - 1].": (
            _recursion(arrive, service, lambda w, s, i, gap: max(0.0, w + s[i] - gap))
        ),
        "No time passes between your arrivals: subtract the gap arrive_s[i] − arrive_s[i − 1].": (
            _recursion(arrive, service, lambda w, s, i, gap: max(0.0, w + s[i - 1]))
        ),
        "You look one request back and forget that it, too, waited: add the previous wait.": (
            _recursion(arrive, service, lambda w, s, i, gap: max(0.0, s[i - 1] - gap))
        ),
        "You subtract the time of arrival. The recursion takes the gap since the previous arrival.": (
            _recursion(arrive, service, lambda w, s, i, gap: max(0.0, w + s[i - 1] - arrive[i]))
        ),
        "The first request finds an empty server: it waits 0, not its own service.": np.array(first_served),
        "That is the latency: wait and service. The wait alone is asked for.": right + service,
        "Those are the moments at which services start. A wait counts from the arrival.": right + arrive,
        "The wait of the first request is missing: return one wait for each request.": first[1:],
    }


@check("12.1")
def check_waits(waits) -> str:
    """waits(arrive_s, service_s) → how long each request waits for one server, (n,) s."""
    for seed, n, busy in ((1, 40, 0.8), (2, 25, 1.5), (3, 1, 0.5)):
        arrive, service = stream(seed, n, busy)
        got = numbers(waits(arrive.copy(), service.copy()), "Waits").astype(float)
        slips = _wait_slips(arrive, service) if n > 1 else {}
        recognise(got, starts(arrive, service) - arrive, slips, "The wait")
    return "equal to following the server from one request to the next, quiet and overloaded"


# ------------------------------------------------------------------ 12.2

MIXES = (
    ([(40.0, 6.0), (2.0, 180.0)], 1),
    ([(100.0, 12.0), (30.0, 20.0), (1.0, 900.0)], 4),
)


def _utilisation_slips(kinds, servers) -> dict[str, np.ndarray]:
    rate, ms = np.array(kinds).T
    right = np.sum(rate * ms) / 1000 / servers
    return {
        "Your service times are still in milliseconds: utilisation is a share, divide by 1000.": right * 1000,
        "You forgot the servers: they share the work.": right * servers,
        "You took the plain mean of the service times. Kinds that come more often count more: add rate × service.": (
            rate.sum() * ms.mean() / 1000 / servers
        ),
        "You counted the kind with the most requests only. The rare, long kind is work too.": (
            rate.max() * ms[rate.argmax()] / 1000 / servers
        ),
        "You took the mean over kinds; the server has to do the sum.": right / len(kinds),
        "That is a percentage. A share between 0 and 1 is asked for.": right * 100,
        "That is the share of idle time.": 1 - right,
        "You multiplied the sums: each rate belongs to its own service time.": (rate.sum() * ms.sum() / 1000 / servers),
    }


@check("12.2")
def check_utilisation(utilisation) -> str:
    """utilisation(kinds, servers) → share of time that a server is busy.  kinds: (requests per s, service in ms)."""
    for kinds, servers in MIXES:
        got = np.array(number(utilisation(list(kinds), servers), "Utilisation"))
        wanted = np.array(sum(rate * ms * 1e-3 for rate, ms in kinds) / servers)
        slips = {hint: np.array(value) for hint, value in _utilisation_slips(kinds, servers).items()}
        recognise(got, wanted, slips, "Utilisation")
    must_refuse(utilisation, ([(50.0, 10.0), (10.0, 50.0)], 1), "Utilisation is exactly 1 here, the queue never ends")
    must_refuse(utilisation, ([(90.0, 30.0)], 2), "Utilisation is above 1 here")
    must_refuse(utilisation, ([(50.0, 10.0), (-10.0, 5.0)], 1), "A rate is negative")
    return "the sum over kinds, shared by the servers, and refused from 1 on"


# ------------------------------------------------------------------ 12.3


def _wait_formulas(rate, service) -> dict[str, float]:
    """Mean waits that well-known slips of Pollaczek and Khinchine's formula return."""
    mean, squares, sd = service.mean(), np.mean(service**2), service.std()
    rho = rate * mean
    right = rate * squares / (2 * (1 - rho))
    return {
        "That is the formula for constant services (M/D/1): square first, then take the mean.": (
            rate * mean**2 / (2 * (1 - rho))
        ),
        "That is the formula for exponential services (M/M/1). These are not: use their own unevenness.": (
            rho / (1 - rho) * mean
        ),
        "Twice too much: the formula divides by 2.": 2 * right,
        "That is the latency. The wait alone is asked for: leave out the service.": right + mean,
        "You took the coefficient of variation; the formula has its square.": (
            rho / (1 - rho) * (1 + sd / mean) / 2 * mean
        ),
        "You took the variance for the mean of the squares: they differ by the square of the mean.": (
            rate * sd**2 / (2 * (1 - rho))
        ),
        "You forgot to divide by 1 − ρ: without it a full server would not matter.": rate * squares / 2,
        "That is Little's law: how many wait, on average. How long is asked for.": rate * right,
        "Your variance divides by n − 1. The services that you have are all there are: mean of the squares.": (
            rate * (mean**2 + service.var(ddof=1)) / (2 * (1 - rho))
        ),
    }


@check("12.3")
def check_mean_wait(mean_wait) -> str:
    """mean_wait(rate_per_s, service_s) → mean wait of M/G/1 in seconds, from a sample of services (n,) s."""
    rng = np.random.default_rng(3)
    for rate, service in (
        (20.0, rng.choice([0.005, 0.2], 12, p=[0.8, 0.2])),
        (3.0, rng.lognormal(-2.5, 1.0, 15)),
        (0.5, np.array([0.4, 0.4, 1.2, 0.7])),
    ):
        rho = rate * sum(service) / len(service)
        rate = rate * 0.8 / rho if rho >= 0.95 else rate
        rho = rate * sum(service) / len(service)
        wanted = rate * sum(s * s for s in service) / len(service) / 2 / (1 - rho)
        got = np.array(number(mean_wait(float(rate), service.copy()), "The mean wait"))
        slips = {hint: np.array(value) for hint, value in _wait_formulas(rate, service).items()}
        recognise(got, np.array(wanted), slips, "The mean wait")
    must_refuse(mean_wait, (100.0, np.array([0.01, 0.02])), "The server is more than full here")
    return "equal to λ·E[S²] / 2(1 − ρ), and refused when the server is full"

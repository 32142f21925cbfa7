"""Chapter 26's checks accept other right answers, and name mistakes that the solutions do not list."""

import re
from collections import OrderedDict

import numpy as np
import pytest

from workbench.checks.reuse import check_cache, check_key, check_normalise
from workbench.checks.reuse_cost import check_prefill, check_threshold


@pytest.mark.parametrize("answer", [None, 3, "text", OrderedDict(), lambda size, ttl: None, object, dict])
def test_a_cache_that_is_none_is_refused(answer):
    report = check_cache.judge(answer)
    assert report.passed is False


def test_other_right_answers_pass():
    def normalise(question):
        return re.sub(r"[ ?!.]+$", "", re.sub(r"\s+", " ", question.casefold()).strip())

    def key(request):
        kept = {k: v for k, v in request.items() if k not in {"time", "request_id"}}
        if not request["private"]:
            del kept["tenant"]
        return frozenset(kept.items())

    def by_sorting(similarity, right, call, wrong):
        order = np.argsort(-similarity, kind="stable")
        gain = np.cumsum(np.where(right[order], call, call - wrong))
        ends = np.append(similarity[order][1:] != similarity[order][:-1], True)
        best, where = 0.0, float("inf")
        for value, end, s in zip(gain, ends, similarity[order], strict=True):
            if end and value > best + 1e-12:
                best, where = value, s
        return where

    def by_scanning(prompts, block=16):
        out = []
        for i, prompt in enumerate(prompts):
            reused = 0
            for old in prompts[:i]:
                n = 0
                while n < min(len(old), len(prompt) - 1) and old[n] == prompt[n]:
                    n += 1
                full = len(old) // block * block
                reused = max(reused, min(n, full) // block * block)
            out.append(len(prompt) - reused)
        return np.array(out)

    for check, answer in (
        (check_normalise, normalise),
        (check_key, key),
        (check_threshold, by_sorting),
        (check_prefill, by_scanning),
    ):
        report = check.judge(answer)
        assert report.passed is True, report

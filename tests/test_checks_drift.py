"""Chapter 14's checks accept other right answers, and name mistakes that the solutions do not list."""

import numpy as np
from scipy import stats
from solved import solved

from workbench.checks.drift import check_ks, check_psi
from workbench.checks.drift_monitor import check_drifting_sensors, check_median_delay

STEM = "14_detect_drift"


def test_other_right_answers_pass():
    assert check_ks.judge(lambda r, w: stats.ks_2samp(r, w).statistic).passed
    assert check_ks.judge(lambda r, w: np.float32(stats.ks_2samp(r, w).statistic)).passed
    assert check_median_delay.judge(
        lambda months, onset, end: (
            np.sort([min([a for a in m if a >= onset] + [end]) for m in months])[
                [(len(months) - 1) // 2, len(months) // 2]
            ].mean()
            - onset
        )
    ).passed
    assert check_drifting_sensors.judge(lambda p, level: solved(STEM)["drifting_sensors"](p, level).tolist()).passed


def test_a_learner_who_sorts_in_place_does_not_spoil_the_reference():
    def in_place(reference, window):
        reference.sort()
        window.sort()
        return solved(STEM)["ks"](reference, window)

    assert check_ks.judge(in_place).passed


def test_a_psi_that_is_wrong_in_no_known_way_is_still_refused():
    report = check_psi.judge(lambda r, w, bins: 0.123456)
    assert report.passed is False
    assert "expected" in report.message

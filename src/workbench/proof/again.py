"""A timing claim that misses is measured again before it is called refuted.

On a machine that others use too, a true ratio can miss its bound once: a neighbour took the core during one half of a
pair.  So a timing chapter in which nothing but claims missed runs again, by itself.  What misses in every run is
refuted; what held in one of them is listed as unlucky, for everybody to see.  All other differences count at once.
"""

from collections.abc import Callable
from dataclasses import replace

from workbench.layout import Layout
from workbench.proof.verify import NotebookReport, VerifyReport
from workbench.runner import notebooks

TIMES = 2  # further runs, at most


def settle(
    layout: Layout,
    report: VerifyReport,
    run: Callable[[list[str]], None],
    compare: Callable[[list[str]], VerifyReport],
    times: int = TIMES,
) -> VerifyReport:
    """`report`, with missed timing claims measured again, at most `times` times.

    run: executes the named chapters again.  compare: the report on their new copies.
    """
    for _ in range(times):
        waiting = [one.chapter for one in report.notebooks if _worth_repeating(layout, one)]
        if not waiting:
            break
        run(waiting)
        later = {one.chapter: one for one in compare(waiting).notebooks}
        both = [_together(one, later[one.chapter]) if one.chapter in later else one for one in report.notebooks]
        report = replace(report, notebooks=tuple(both))
    return report


def _worth_repeating(layout: Layout, report: NotebookReport) -> bool:
    """Whether missed claims of a timing chapter are all that is wrong."""
    if report.passed or not all(mismatch.missed for mismatch in report.mismatches):
        return False
    return notebooks.is_timing(notebooks.read(layout.chapter(report.chapter)))


def _together(before: NotebookReport, later: NotebookReport) -> NotebookReport:
    """The later report, in which a claim has missed only if it missed before, too."""
    missed = [{m.missed for m in report.mismatches if m.missed} for report in (before, later)]
    kept = [m for m in later.mismatches if not m.missed or m.missed in missed[0]]
    unlucky = sorted(set(before.unlucky) | (missed[0] ^ missed[1]))
    return replace(later, mismatches=kept, unlucky=unlucky)

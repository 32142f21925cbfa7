"""Checks of chapter 45's exercises: recall with ties, a probe of an inverted file, a distance table."""

import numpy as np

from workbench.checks.answers import first_difference, number, numbers, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 45.1

TIED = np.array([0.9, 0.8, 0.7, 0.7, 0.7, 0.1])


def _recall(found, scores, k: int) -> float:
    """Distinct found rows that are as good as the k-th best, at most k of them, over k."""
    floor = sorted(scores, reverse=True)[k - 1]
    return min(k, sum(scores[row] >= floor for row in set(found))) / k


def _by_ids(found, scores, k: int) -> float:
    best = sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]
    return len(set(found) & set(best)) / k


@check("45.1")
def check_recall_at_k(recall_at_k) -> str:
    """recall_at_k(found, scores, k) → float."""
    rng = np.random.default_rng(45)
    cases = [
        (np.array([0, 1, 2]), TIED, 3),
        (np.array([0, 1, 4]), TIED, 3),
        (np.array([0, 0, 0]), TIED, 3),
        (np.array([0, 1]), TIED, 3),
    ]
    cases += [(np.array([0, 5, 1]), TIED, 3), (np.array([0, 1, 2, 3, 4]), TIED, 3), (np.array([], int), TIED, 3)]
    cases += [(rng.permutation(40)[:10], np.round(rng.normal(size=40), 1), 10) for _ in range(4)]
    for found, scores, k in cases:
        got = number(recall_at_k(found.copy(), scores.copy(), k), "recall")
        if not same(got, _recall(found, scores, k)):
            raise Hint(_recall_mistake(got, found, scores, k))
    return "recall counts what is as good as the true ones, once, out of k"


def _recall_mistake(got: float, found, scores, k: int) -> str:
    floor = sorted(scores, reverse=True)[k - 1]
    good = [row for row in found if scores[row] >= floor]
    if got > 1:
        return "Recall cannot exceed one: of rows beyond the first k in a tie, at most k count."
    if same(got, 100 * _recall(found, scores, k)):
        return "That is a percentage. Return a share between 0 and 1."
    if len(found) and same(got, len(set(good)) / len(found)):
        return "You divided by the number of rows returned: that is precision. Recall divides by k."
    if len(set(found.tolist())) < len(found) and same(got, min(k, len(good)) / k):
        return "The same row was returned several times, and you counted it each time."
    if same(got, _by_ids(found, scores, k)):
        return "Several rows share the k-th best score, and you accept only some of them: compare scores, not rows."
    if same(got, min(k, sum(scores[row] > floor for row in set(found.tolist()))) / k):
        return "A row as good as the k-th best counts too: >= where you have >."
    if same(got, _recall(found, -scores, k)) or same(got, _by_ids(found, -scores, k)):
        return "You kept the smallest scores. Here a larger score is nearer."
    return f"For found = {found.tolist()}, k = {k} you return {got:g}, expected {_recall(found, scores, k):g}."


# ------------------------------------------------------------------ 45.2


def _file(seed: int, n: int = 60, cells: int = 6, d: int = 8):
    """Vectors, centres and lists of a small inverted file, and a question."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centres = vectors[rng.choice(n, cells, replace=False)]
    owner = (vectors @ centres.T).argmax(axis=1)
    question = rng.normal(size=d)
    return question / np.linalg.norm(question), centres, [np.flatnonzero(owner == c) for c in range(cells)], vectors


def _probed(question, centres, lists, vectors, probes: int, k: int, nearest_first: bool = True) -> list[int]:
    cells = sorted(range(len(centres)), key=lambda c: -float(centres[c] @ question))
    cells = cells[:probes] if nearest_first else cells[::-1][:probes]
    rows = [int(row) for c in cells for row in lists[c]]
    return sorted(rows, key=lambda row: -float(vectors[row] @ question))[:k]


@check("45.2")
def check_probe(probe) -> str:
    """probe(question, centres, lists, vectors, probes, k) → (≤ k,) row numbers, best first."""
    for seed, probes, k in ((1, 1, 3), (2, 2, 5), (3, 3, 10), (4, 6, 4), (5, 1, 50), (6, 2, 7)):
        case = _file(seed)
        copy = (case[0].copy(), case[1].copy(), [cell.copy() for cell in case[2]], case[3].copy())
        got = numbers(probe(*copy, probes, k), "row numbers")
        wanted = _probed(*case, probes, k)
        if got.ndim != 1 or got.tolist() != wanted:
            raise Hint(_probe_mistake(got, case, probes, k, wanted))
    return "the nearest cells are opened, and the best rows come out in order"


def _probe_mistake(got: np.ndarray, case, probes: int, k: int, wanted: list[int]) -> str:
    question, centres, lists, vectors = case
    if got.ndim != 1:
        return f"Return one list of row numbers; yours has shape {got.shape}."
    found = got.tolist()
    first = sorted((int(r) for cell in lists[:probes] for r in cell), key=lambda r: -float(vectors[r] @ question))
    everything = _probed(*case, len(centres), k)
    near = sorted(range(len(centres)), key=lambda c: -float(centres[c] @ question))[:probes]
    candidates = [int(row) for cell in near for row in lists[cell]]
    if sorted(found) == sorted(near):
        return "Those are the cells. Open their lists and return the rows of the best vectors in them."
    if len(found) == len(wanted) and [candidates[int(i)] for i in found if i < len(candidates)] == wanted:
        return "Those are positions among the candidates. Return the vectors' own row numbers."
    if found == everything and found != wanted:
        return "You searched every vector. Only the lists of the nearest cells may be opened."
    if found == _probed(*case, probes, k, nearest_first=False):
        return "You opened the cells farthest from the question: with products, nearest is largest."
    if found == first[:k]:
        return "You opened the first lists, not the nearest cells: compare the question with the centres."
    if sorted(found) == sorted(wanted):
        return "The right rows in the wrong order: the best comes first."
    if found == sorted(candidates, key=lambda r: float(vectors[r] @ question))[:k]:
        return "You kept the worst of the candidates: the largest products are the nearest."
    if len(found) > k:
        return f"At most k = {k} rows are asked for, you return {len(found)}."
    if len(found) < len(wanted) and set(found) < set(candidates):
        return f"{len(wanted)} rows are there to be returned, you return {len(found)}."
    return f"With {probes} cells and k = {k} you return {found[:4]} …, expected {wanted[:4]} …."


# ------------------------------------------------------------------ 45.3


@check("45.3")
def check_score_codes(score_codes) -> str:
    """score_codes(question, codes, codebook) → (n,) approximate products."""
    for seed, pieces, size, d, n in ((1, 4, 16, 3, 10), (2, 3, 8, 3, 20), (3, 5, 256, 2, 7), (4, 1, 4, 6, 4)):
        rng = np.random.default_rng(seed)
        codebook, question = rng.normal(size=(pieces, size, d)), rng.normal(size=pieces * d)
        codes = rng.integers(size, size=(n, pieces)).astype(np.uint8)
        wanted = _unpacked(codes, codebook) @ question
        got = numbers(score_codes(question.copy(), codes.copy(), codebook.copy()), "scores")
        if not same(got, wanted):
            raise Hint(_score_mistake(got, question, codes, codebook, wanted))
    return "every score is one look-up per piece and a sum"


def _unpacked(codes: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    return np.array([np.concatenate([codebook[p, c] for p, c in enumerate(row)]) for row in codes])


def _score_mistake(got: np.ndarray, question, codes, codebook, wanted: np.ndarray) -> str:
    pieces, _, d = codebook.shape
    whole, parts = _unpacked(codes, codebook), question.reshape(pieces, d)
    coded = np.array([np.linalg.norm(book - part, axis=1).argmin() for book, part in zip(codebook, parts, strict=True)])
    symmetric = whole @ _unpacked(coded[None], codebook)[0]
    striped = whole @ np.concatenate(question.reshape(d, pieces).T)
    distance = ((whole - question) ** 2).sum(axis=1)
    known = {
        "You quantized the question too. It is known exactly: keep it whole and code only the vectors.": symmetric,
        "You cut the question in stripes: piece p is question[p * d : (p + 1) * d], d = codebook.shape[2].": striped,
        "Those are squared distances. The product is asked for: larger is nearer.": distance,
        "Those are negative distances. The product is asked for.": -distance,
        "You averaged over the pieces. A product of whole vectors is the sum of its pieces' products.": wanted / pieces,
        "Only the first piece counts in your score: sum over all of them.": whole[:, :d] @ question[:d],
        "You added the codes themselves. A code is a row number in its piece's codebook.": codes.sum(axis=1),
    }
    for hint, value in known.items():
        if same(got, value):
            return hint
    if got.shape != wanted.shape:
        return f"One score per coded vector: shape {wanted.shape}, not {got.shape}."
    return f"A score differs: {first_difference(got, wanted)}."

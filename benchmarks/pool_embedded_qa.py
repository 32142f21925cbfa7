"""Which passages were judged for chapter 40's questions: the first ten of BM25, of MiniLM and of their fusion.

    python benchmarks/pool_embedded_qa.py POOL.jsonl

One line a question: {"id", "pool": [passage ids]}, each pool sorted by id, so that no judge sees who ranked what.
`judge_embedded_qa.py` turns a pool into sheets, and filled sheets into agreement and the committed judgements.
"""

import json
import sys
from pathlib import Path

import numpy as np

from workbench.embedded_qa import questions
from workbench.manuals import passages
from workbench.models import model_path

DEPTH = 10


def sparse_scores(texts: list[str], asked: list[str]) -> np.ndarray:
    """BM25 with an English stemmer, as bm25s runs it by default.  (questions, passages)."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    tokens = bm25s.tokenize(asked, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)
    return np.stack([index.get_scores(words) for words in tokens])


def dense_vectors(texts: list[str], batch: int = 32) -> np.ndarray:
    """MiniLM's mean-pooled unit vectors, texts cut at 256 tokens.  (n, 384)."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(model_path("minilm"))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = []
    for start in range(0, len(texts), batch):
        inputs = tokenizer(
            texts[start : start + batch], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.inference_mode():
            states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
        mean = (states * mask).sum(1) / mask.sum(1)
        vectors.append(torch.nn.functional.normalize(mean, dim=1).numpy())
    return np.concatenate(vectors)


def fused(*rankings: np.ndarray, k: int = 60) -> np.ndarray:
    """Reciprocal rank fusion (Cormack et al. 2009) of orders of passages, each (questions, passages)."""
    return sum(1 / (k + 1 + np.argsort(order, axis=1)) for order in rankings)


def main(target: Path) -> None:
    found, asked = passages(), [question.text for question in questions()]
    texts = [f"{passage.title}. {passage.text}" for passage in found]
    sparse = sparse_scores(texts, asked)
    dense = dense_vectors(asked) @ dense_vectors(texts).T
    by_sparse, by_dense = (np.argsort(-scores, axis=1, kind="stable") for scores in (sparse, dense))
    by_both = np.argsort(-fused(by_sparse, by_dense), axis=1, kind="stable")
    with target.open("w") as file:
        for row, question in enumerate(questions()):
            first = {number for order in (by_sparse, by_dense, by_both) for number in order[row, :DEPTH]}
            pool = sorted(found[number].id for number in first)
            file.write(json.dumps({"id": question.id, "pool": pool}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

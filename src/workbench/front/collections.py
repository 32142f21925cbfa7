"""`workbench data`: check a collection for retrieval, prove and write out our own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.errors import CheckFailedError

app = typer.Typer(no_args_is_help=True, help="Check a collection for retrieval, prove or write out our own.")
out = Console(soft_wrap=True, highlight=False, markup=False)


@app.command("check")
def check_collection(folder: Annotated[Path, typer.Argument(help="corpus.jsonl, queries.jsonl, qrels/*.tsv")]) -> None:
    """Is this a sound collection in BEIR's folder format? Every kind of problem on one line, with places."""
    from workbench import beir

    collection, problems = beir.read(folder)
    for line in problems.lines():
        out.print(line)
    if problems.kinds:
        raise CheckFailedError(f"{folder} has {sum(problems.counts.values())} problems", "mend them in the order above")
    judged = {split: sum(map(len, table.values())) for split, table in collection.qrels.items()}
    told = ", ".join(f"{count} judgements ({split})" for split, count in judged.items())
    out.print(f"{len(collection.corpus)} documents, {len(collection.queries)} queries, {told}")


@app.command("prove")
def prove_questions() -> None:
    """Are the answers of our own questions still where they are said to stand in the fetched manuals?"""
    from workbench import embedded_qa

    out.print(f"{embedded_qa.prove()} gold spans are where they were")


@app.command("write")
def write_collection(split: Annotated[str, typer.Argument(help="`dev` or `test`.")] = "test") -> None:
    """Write our own questions, passages and judgements as a BEIR folder into the cache."""
    from workbench import embedded_qa

    out.print(str(embedded_qa.beir_folder(split)))

"""Let a model answer, piece by piece, through OpenAI's interface: the local one, or any that the environment names."""

import os
from collections.abc import Iterator

from workbench.errors import WorkbenchError

MOST_TOKENS = 80


def stream(messages: list[dict], url: str, model: str, key: str = "none") -> Iterator[str]:
    """The answer's pieces as they come.  Raises WorkbenchError when nobody answers."""
    from openai import OpenAI, OpenAIError

    try:
        client = OpenAI(base_url=url, api_key=key, timeout=60, max_retries=0)
        pieces = client.chat.completions.create(
            model=model, messages=messages, temperature=0, max_tokens=MOST_TOKENS, stop=["\n"], stream=True
        )
        for piece in pieces:
            if piece.choices and piece.choices[0].delta.content:
                yield piece.choices[0].delta.content
    except OpenAIError as problem:
        raise WorkbenchError(f"the model did not answer: {problem}", "start the page again") from problem


def endpoint() -> tuple[str, str, str] | None:
    """(url, model, key) of the server that WORKBENCH_API_BASE, …_MODEL and …_KEY name, as in chapters 15 and 44.

    None unless all three are set: then nothing leaves this machine.
    """
    url, model, key = (os.environ.get(f"WORKBENCH_API_{part}", "") for part in ("BASE", "MODEL", "KEY"))
    return (url, model, key) if url and model and key else None

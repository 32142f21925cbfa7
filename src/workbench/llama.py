"""The Llama-shaped model inside a GGUF file, as transformers' model: the reference that chapters compare with.

transformers reads GGUF files itself, in about twenty seconds; this does it in a few, and a test equates the two.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from workbench.models import model_file

OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INNER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def load_llama(name: str = "smollm2", **options):
    """Build transformers' LlamaForCausalLM from the registered GGUF model, dequantized to float32, in eval mode.

    options go to LlamaConfig, e.g. attn_implementation="eager", or num_hidden_layers=2 for the first two blocks only.
    Raises like `model_file`, and ValueError for a model of another architecture.
    """
    import torch
    from transformers import LlamaForCausalLM

    reader = _reader(model_file(name))
    config = _config(reader, **options)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    weights = {key: torch.from_numpy(value) for key, value in _weights(reader, config)}
    weights.setdefault("lm_head.weight", weights["model.embed_tokens.weight"])
    model.load_state_dict(weights, strict=True, assign=True)
    model.tie_weights()
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its buffers are not in the file
    return model.eval()


def load_tokenizer(name: str = "smollm2"):
    """The model's tokenizer, with its chat template, from the same file.

    The class is named: AutoTokenizer finds the same one, after reading the whole file the slow way for it.
    """
    from transformers import TokenizersBackend

    path = model_file(name)
    return TokenizersBackend.from_pretrained(str(path.parent), gguf_file=path.name)


@lru_cache(maxsize=1)  # the header takes seconds, and weights, tokenizer and copies all begin with it
def _reader(path: Path):
    import gguf

    class PlainReader(gguf.GGUFReader):
        """Reads the file through a plain array: slicing a memmap takes most of the header's 100,000 fields' time."""

        @property
        def data(self):
            return self._plain

        @data.setter
        def data(self, mapped):
            self._plain = mapped.view(np.ndarray)

    return PlainReader(str(path))


def _config(reader, **options):
    from transformers import LlamaConfig

    def field(key: str, default=None):
        found = reader.get_field(key)
        return default if found is None else found.contents()

    if field("general.architecture") != "llama":
        raise ValueError(f"a model of architecture 'llama' is needed, this one is '{field('general.architecture')}'")
    heads = field("llama.attention.head_count")
    layers = options.pop("num_hidden_layers", field("llama.block_count"))
    return LlamaConfig(
        vocab_size=field("llama.vocab_size"),
        hidden_size=field("llama.embedding_length"),
        intermediate_size=field("llama.feed_forward_length"),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=field("llama.attention.head_count_kv", heads),
        max_position_embeddings=field("llama.context_length"),
        rms_norm_eps=field("llama.attention.layer_norm_rms_epsilon"),
        rope_theta=field("llama.rope.freq_base", 10_000.0),
        bos_token_id=field("tokenizer.ggml.bos_token_id"),
        eos_token_id=field("tokenizer.ggml.eos_token_id"),
        pad_token_id=field("tokenizer.ggml.padding_token_id"),
        tie_word_embeddings=not any(tensor.name == "output.weight" for tensor in reader.tensors),
        **options,
    )


def _weights(reader, config):
    """(transformers' name, float32 array) of each tensor, of as many blocks as the config has."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for tensor in reader.tensors:
        parts = tensor.name.split(".")  # "blk.3.attn_q.weight" or "token_embd.weight"
        if parts[0] == "blk" and int(parts[1]) >= config.num_hidden_layers:
            continue
        values = dequantized(tensor)
        if parts[0] != "blk":
            yield f"{OUTER[parts[0]]}.weight", values
            continue
        if parts[2] in heads:
            values = _halves(values, heads[parts[2]])
        yield f"model.layers.{parts[1]}.{INNER[parts[2]]}.weight", np.ascontiguousarray(values)


def dequantized(tensor) -> np.ndarray:
    """A tensor's numbers in float32, yours to write to.  (gguf's own function takes sixteen rows at a time.)"""
    import gguf

    kind = getattr(gguf.quants, tensor.tensor_type.name, None)  # none for plain floats
    whole = kind.dequantize_rows if kind else lambda data: gguf.dequantize(data, tensor.tensor_type)
    return np.require(whole(tensor.data), np.float32, "W")  # copies what still lies in the read-only file


def _halves(values: np.ndarray, heads: int) -> np.ndarray:
    """Rows from llama.cpp's order, rotated pairs side by side, to transformers': first halves, then second.  (n, d)."""
    rows, width = values.shape
    return values.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)

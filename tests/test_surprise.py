"""Surprise by text and by answers, and adapters that are added to a model and taken away without a trace."""

import re

import numpy as np
import pytest
import torch

from workbench.instruction import Example, pad
from workbench.llama import load_llama, load_tokenizer
from workbench.surprise import adapted, answers, asked, chance_like, news, norm, passage, sides, size, surprise

NAME = "base_model.model.model.layers.{}.{}.lora_{}.weight"
SHAPES = {"self_attn.q_proj": (576, 576), "mlp.down_proj": (576, 1536)}


def numbers(r=3):
    rng = np.random.default_rng(0)
    found = {}
    for module, (rows, columns) in SHAPES.items():
        found[NAME.format(0, module, "A")] = rng.normal(size=(r, columns)).astype(np.float32)
        found[NAME.format(0, module, "B")] = rng.normal(size=(rows, r)).astype(np.float32) * 0.01
    return found


@pytest.fixture(scope="module")
def model():
    return load_llama(num_hidden_layers=1).requires_grad_(False)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


def test_the_norm_of_a_product_without_the_product():
    for a, b in sides(numbers()).values():
        assert norm(a, b) == pytest.approx(np.linalg.norm(b @ a), rel=1e-5)
    whole = np.concatenate([(b @ a).ravel() for a, b in sides(numbers()).values()])
    assert size(numbers()) == pytest.approx(np.linalg.norm(whole), rel=1e-5)


def test_chance_keeps_the_singular_values_of_each_matrix_and_points_elsewhere():
    real, chance = sides(numbers()), sides(chance_like(numbers()))
    assert list(chance) == list(real)
    for name, (a, b) in chance.items():
        assert a.dtype == b.dtype == np.float32
        assert norm(a, b) == pytest.approx(norm(*real[name]), rel=1e-4)
        values = [np.linalg.svd(right @ left, compute_uv=False)[:3] for left, right in ((a, b), real[name])]
        np.testing.assert_allclose(*values, rtol=1e-4)
        assert abs(np.corrcoef((b @ a).ravel(), (real[name][1] @ real[name][0]).ravel())[0, 1]) < 0.1
    again, other = chance_like(numbers()), chance_like(numbers(), seed=1)
    assert all((again[name] == array).all() for name, array in chance_like(numbers()).items())
    assert not any((other[name] == array).all() for name, array in again.items())


@pytest.mark.slow
def test_an_adapter_is_added_inside_the_block_and_gone_after_it_to_the_bit(model):
    weight = model.model.layers[0].mlp.down_proj.weight
    before = weight.data.clone()
    a, b = sides(numbers())["model.layers.0.mlp.down_proj"]
    with adapted(model, numbers(), 2.0):
        np.testing.assert_allclose((weight.data - before).numpy(), 2 * b @ a, atol=1e-5)
    assert torch.equal(weight.data, before)
    with pytest.raises(KeyboardInterrupt), adapted(model, numbers(), 2.0):
        raise KeyboardInterrupt
    assert torch.equal(weight.data, before)


@pytest.mark.slow
def test_surprise_is_the_librarys_loss_example_by_example(model, tokenizer):
    some = [Example((5, 9, 300, 17, 23), 2), Example((7, 8, 1000), 1), Example((11, 12, 13, 14, 15, 16, 17), 5)]
    alone = [model(**pad([one], tokenizer.pad_token_id)).loss.item() for one in some]
    np.testing.assert_allclose(surprise(model, some, tokenizer.pad_token_id, together=2), alone, rtol=1e-4)


@pytest.mark.slow
def test_news_is_cut_alike_and_mixed_is_the_same_tokens(tokenizer):
    plain, mixed = (news(tokenizer, 5, 40, mixed=mixed) for mixed in (False, True))
    assert [len(one.ids) for one in plain] == [40] * 5
    assert {one.begin for one in plain} == {1}
    assert [sorted(one.ids) for one in plain] == [sorted(one.ids) for one in mixed]
    assert [one.ids for one in plain] != [one.ids for one in mixed]


@pytest.mark.slow
def test_a_passage_holds_the_answers_place_and_another_one_does_not_follow(tokenizer):
    some = asked(40)
    assert len({one.id for one in some}) == len(some) >= 30
    assert {one.split for one in some} == {"dev"}
    for one in some:
        assert re.sub(r"\s+", " ", one.gold[0].quote).strip() in passage(one), one.id
    right, wrong = answers(tokenizer, some), answers(tokenizer, some, shift=1)
    for one, example, other in zip(some, right, wrong, strict=True):
        said = tokenizer.decode(example.ids[example.begin :])
        assert said == tokenizer.decode(other.ids[other.begin :]) == f" {one.answers[0]}"
        assert example.ids[: example.begin] != other.ids[: other.begin]
        assert len(example.ids) < 400

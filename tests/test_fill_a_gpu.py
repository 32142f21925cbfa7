"""Chapter 29's functions, on a processor and with a stand-in for the card: no CUDA device is needed or was used."""

import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "29_fill_a_gpu.ipynb"
CELLS = {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}


def chapter(*wanted: str, **given) -> dict:
    """The chapter's imports and the named cells, executed on the processor."""
    sizes = SimpleNamespace(rounds=2, side=32, shape=(3, 64, 4, 2, 96, 50))
    big = {"gpu": {"shape": (32, 4096, 32, 8, 14336, 128256)}}
    names = {"sizes": sizes, "SIZES": big, "card": False, "device": "cpu", "number": torch.float32} | given
    exec(CELLS["imports"], names)
    for name in wanted:
        exec(CELLS[name], names)
    return names


@pytest.fixture(autouse=True)
def inference():
    with torch.no_grad():
        yield


class Stream:
    def __init__(self, log, name="side"):
        self.log, self.name = log, name

    def wait_stream(self, other):
        self.log.append(f"{self.name} waits for {other.name}")

    def __enter__(self):
        self.log.append(f"on {self.name}")

    def __exit__(self, *problem):
        self.log.append(f"off {self.name}")


class FakeCuda:
    """Enough of torch.cuda to see in which order the chapter asks for things."""

    def __init__(self):
        self.log, self.main = [], Stream([], "main")
        self.main.log = self.log

    def Stream(self):  # noqa: N802 - torch's name
        return Stream(self.log)

    def stream(self, stream):
        return stream

    def current_stream(self):
        return self.main

    def CUDAGraph(self):  # noqa: N802 - torch's name
        return SimpleNamespace(replay=lambda: self.log.append("replay"))

    def graph(self, graph, stream):
        return Stream(self.log, f"recording on {stream.name}")

    def Event(self, enable_timing):  # noqa: N802 - torch's name
        log = self.log
        return SimpleNamespace(
            record=lambda: log.append("event"),
            synchronize=lambda: log.append("wait"),
            elapsed_time=lambda end: 250.0,
        )


@pytest.fixture
def fake(monkeypatch):
    cuda = FakeCuda()
    monkeypatch.setattr(torch, "cuda", cuda)
    return cuda


def test_a_recording_is_warmed_up_on_its_own_stream_before_it_begins(fake):
    calls = []
    record = chapter("record", card=True)["record"]
    replay, made = record(lambda: calls.append(1) or fake.log.append("call") or len(calls))
    order = ["side waits for main", "on side", "call", "call", "call", "off side", "main waits for side"]
    assert fake.log == [*order, "on recording on side", "call", "off recording on side"]
    assert made == 4
    replay()
    assert fake.log[-1] == "replay"


def test_the_cards_stopwatch_waits_before_it_reads(fake):
    seconds = chapter("stopwatch", card=True)["seconds"]
    assert seconds(lambda: fake.log.append("work")) == 0.25
    assert fake.log == ["event", "work", "event", "wait"]


def test_the_model_shrinks_to_the_cards_free_memory(monkeypatch):
    names = chapter("shape", "count-bytes", "build")
    fitting, big = names["fitting"], names["BIG"]
    for free_gb, layers in ((80, 32), (12, 17), (1, 1)):
        fake = SimpleNamespace(empty_cache=lambda: None, mem_get_info=lambda gb=free_gb: (gb * 1e9, 80e9))
        monkeypatch.setattr(torch, "cuda", fake)
        assert fitting(big).layers == layers


def test_a_queue_returns_at_once_and_keeps_order():
    queue, done = chapter("queue")["Queue"](), []
    start = time.perf_counter()
    queue.launch(lambda: (time.sleep(0.2), done.append(1)))
    queue.launch(lambda: done.append(2))
    assert time.perf_counter() - start < 0.15
    queue.synchronize()
    assert done == [1, 2]


@pytest.mark.parametrize("block", [1, 7, 16, 50, 64])
def test_attention_in_blocks_is_attention(block):
    names = chapter("online", "three-ways")
    q, k, v = torch.randn(3, 50, 8, dtype=torch.float64) * 3
    exact = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    attend = names["attend_rows"](q, k, v, block)
    assert torch.allclose(attend, exact, atol=1e-12)
    assert torch.allclose(names["in_blocks"](q, k, v, block), exact, atol=1e-12)


def test_watch_counts_no_views():
    watch = chapter("watch")["Watch"]
    x = torch.randn(4, 6)
    with watch() as seen:
        y = x.T.reshape(2, 12)[:, :3]  # reshape of a transpose has to copy
        y += 1
        torch.matmul(torch.randn(2, 3, 4), torch.randn(4, 5))
    names = [name for name, _ in seen.seen]
    assert [name for name in names if "randn" not in name] == ["clone", "add_", "mm"]


def test_a_tape_knows_places_and_not_names():
    names = chapter("tape", "record")
    x = torch.ones(3)
    replay, made = names["record"](lambda: (2 * x + 1).view(3, 1))
    place, x = x, torch.full((3,), 5.0)
    replay()
    assert made.flatten().tolist() == [3, 3, 3]
    place.copy_(x)
    replay()
    assert made.flatten().tolist() == [11, 11, 11]


MODEL = ("shape", "layer", "model", "decoder", "whole")


def make_model(names, **kind):
    torch.manual_seed(29)
    return names["Decoder"](names["HERE"], places=8, **kind)


@pytest.mark.parametrize("shape", [(1, 32, 4, 4, 48, 20), (2, 64, 8, 2, 96, 50), (3, 48, 6, 1, 64, 30)])
def test_a_step_over_the_cache_gives_the_whole_texts_scores(shape):
    names = chapter(*MODEL, sizes=SimpleNamespace(shape=shape))
    model, ids = make_model(names, dtype=torch.float64), torch.arange(8) * 7 % 20
    for i, token in enumerate(ids):
        scores = model(token[None], torch.tensor([i]))
        wanted = names["whole_text"](model, ids[: i + 1])
        assert torch.allclose(scores, wanted, atol=1e-5)


def test_a_recorded_step_follows_token_and_position():
    names = chapter(*MODEL, "tape", "record")
    model, other = make_model(names), make_model(names)
    token, position = torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    replay, scores = names["record"](lambda: model(token, position))
    for i, word in enumerate((4, 9, 33, 2)):
        token.fill_(word)
        position.fill_(i)
        replay()
        assert torch.allclose(scores, other(torch.tensor([word]), torch.tensor([i])), atol=1e-6)


def test_all_layers_share_one_compilation_without_a_graph_break():
    names = chapter(*MODEL)
    model, graphs = make_model(names), []
    plain = model(torch.tensor([3]), torch.tensor([0]))

    def count_only(graph, examples):  # one and the same for all layers, as a named mode is
        graphs.append(1)
        return graph.forward

    for layer in model.layers:
        layer.compile(backend=count_only, fullgraph=True)
    assert torch.allclose(model(torch.tensor([3]), torch.tensor([0])), plain, atol=1e-6)
    model(torch.tensor([5]), torch.tensor([1]))
    assert len(graphs) == 1
    torch._dynamo.reset()


@pytest.mark.parametrize("shape", [(1, 32, 4, 4, 48, 20), (3, 64, 8, 2, 96, 50)])
def test_the_formula_counts_what_a_built_model_has(shape):
    names = chapter("shape", "layer", "model", "decoder", "count-bytes", sizes=SimpleNamespace(shape=shape))
    model = names["Decoder"](names["HERE"], places=4, device="meta")
    read = sum(p.numel() for p in model.parameters()) - model.table.weight[1:].numel()
    assert names["step_bytes"](names["HERE"], 4) == 4 * read


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_fp8_codes_and_scale_give_back_the_numbers(kind):
    to_fp8 = chapter("fp8")["to_fp8"]
    x = torch.randn(1000) * 1e-6
    codes, scale = to_fp8(x, kind=kind)
    assert codes.dtype == kind
    assert codes.float().abs().max() == torch.finfo(kind).max
    assert ((codes.float() * scale - x).norm() / x.norm()) < torch.finfo(kind).eps / 2


def test_a_product_in_fp8_is_the_product_of_what_the_codes_say():
    names = chapter("fp8", "fp8-product")
    a, b = (names["to_fp8"](torch.randn(16, 32)) for _ in range(2))
    exact = (a[0].double() * a[1]) @ (b[0].double() * b[1]).T
    assert ((names["fp8_times"](a, b).double() - exact).norm() / exact.norm()) < 0.005  # the answer is in bf16


def test_used_share_counts_whole_tiles_and_whole_waves():
    used = chapter("napkin", "waves")["used"]
    assert used(11 * 128, 3072) == 1
    assert used(11 * 128 + 1, 3072) < 0.51
    assert used(1, 1, tile=(64, 64), units=1) == pytest.approx(1 / 4096)


@pytest.fixture
def sent(tmp_path):
    names = chapter("cut", "cut-pieces", "join")
    file = tmp_path / "weights.bin"
    file.write_bytes(np.random.default_rng(0).bytes(2500))
    names["cut"](file, limit=1000)
    return names, file, file.read_bytes()


def test_pieces_are_joined_to_the_same_bytes(sent):
    names, file, content = sent
    pieces = sorted(file.parent.glob("weights.bin.0*"))
    assert [p.stat().st_size for p in pieces] == [1000, 1000, 500]
    file.unlink()
    assert names["join"](file.with_name("weights.bin.sha256")).read_bytes() == content


def damage_bit(piece, other):
    piece.write_bytes(bytes([piece.read_bytes()[0] ^ 1]) + piece.read_bytes()[1:])


def cut_short(piece, other):
    piece.write_bytes(piece.read_bytes()[:-1])


def swap(piece, other):
    mine, theirs = piece.read_bytes(), other.read_bytes()
    piece.write_bytes(theirs)
    other.write_bytes(mine)


def lose(piece, other):
    piece.unlink()


@pytest.mark.parametrize("accident", [damage_bit, cut_short, swap, lose])
def test_a_broken_piece_is_named_and_nothing_gets_the_good_name(sent, accident):
    names, file, _ = sent
    file.unlink()
    accident(file.with_name("weights.bin.000"), file.with_name("weights.bin.001"))
    with pytest.raises(ValueError, match=r"weights\.bin\.000 is missing or altered"):
        names["join"](file.with_name("weights.bin.sha256"))
    assert not file.exists()


SHELL = """
split -b 1000 -d -a 3 weights.bin weights.bin.
sha256sum weights.bin weights.bin.0* > weights.bin.sha256
mv weights.bin elsewhere
sha256sum -c --ignore-missing weights.bin.sha256
cat weights.bin.0?? > weights.bin && sha256sum -c weights.bin.sha256
"""


@pytest.mark.skipif(not (shutil.which("split") and shutil.which("sha256sum")), reason="no GNU tools here")
def test_the_shells_pieces_and_the_chapters_are_the_same(sent):
    """CONTRIBUTING's recipe, and its list read by the chapter's join."""
    names, file, content = sent
    listing = file.with_name("weights.bin.sha256")
    ours = listing.read_text()
    for piece in file.parent.glob("weights.bin.0*"):
        piece.unlink()
    subprocess.run(["sh", "-e", "-c", SHELL], cwd=file.parent, check=True, capture_output=True)
    assert file.read_bytes() == content
    assert listing.read_text() == ours
    file.unlink()
    assert names["join"](listing).read_bytes() == content

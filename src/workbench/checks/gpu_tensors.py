"""Checks of chapter 29's exercises on tensors: a scale for each row in fp8, and a recording that is safe to call."""

from collections.abc import Callable

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 29.4


def _rows():
    """Rows of very different sizes, one of zeros."""
    import torch

    rng = torch.Generator().manual_seed(29)
    x = torch.randn(5, 64, generator=rng)
    return x * torch.tensor([1e-4, 1.0, 300.0, 0.0, 5e4])[:, None]


def _scale_mistakes(x) -> dict:
    import torch

    top, wide = torch.finfo(torch.float8_e4m3fn).max, torch.finfo(torch.float8_e5m2).max
    most = x.abs().amax(1, keepdim=True)
    return {
        "One scale for the whole matrix: the small rows drown. One for each row is asked for.": (
            (x.abs().max() / top).expand(5, 1)
        ),
        "That is 1 / scale: x ≈ codes · scale, so the scale of large numbers is large.": top / most,
        "You used the largest number of e5m2. In e4m3 it is 448: torch.finfo knows.": most / wide,
        "127 is int8's. This format's largest number is torch.finfo(…).max.": most / 127,
        "You took the largest x, not the largest |x|: a row may be more negative than positive.": (
            x.amax(1, keepdim=True) / top
        ),
        "Axis 0 are the columns. A row's scale looks along axis 1.": (x.abs().amax(0, keepdim=True).T / top),
    }


@check("29.4")
def check_to_fp8_rows(to_fp8_rows: Callable) -> str:
    """to_fp8_rows(x): x (rows, n) → codes (rows, n) in float8_e4m3fn, scale (rows, 1) in float32."""
    import torch

    x = _rows()
    answer = to_fp8_rows(x.clone())
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Hint("Return two things, in this order: codes, scale.")
    codes, scale = answer
    if not isinstance(codes, torch.Tensor) or not isinstance(scale, torch.Tensor):
        raise Hint("Both are tensors: codes and scale.")
    _judge_scale(x, scale)
    _judge_codes(x, codes, scale.float())
    return "each row reaches 448, a row of zeros stays zero, and nothing is divided by zero"


def _judge_scale(x, scale) -> None:
    import torch

    if not scale.is_floating_point():
        raise Hint("The scale is a floating-point number for each row.")
    scale, top = scale.float(), torch.finfo(torch.float8_e4m3fn).max
    alive = x.abs().amax(1) > 0
    for hint, wrong in _scale_mistakes(x).items():
        if scale.numel() in (1, wrong.numel()) and torch.allclose(
            scale.reshape(-1).expand(wrong.numel())[: len(x)][alive], wrong.reshape(-1)[: len(x)][alive], rtol=1e-5
        ):
            raise Hint(hint)
    if tuple(scale.shape) != (len(x), 1):
        raise Hint(f"The scale has shape {tuple(scale.shape)}; (rows, 1) fits the rows when it is multiplied.")
    if not torch.isfinite(scale).all() or (scale[~alive] <= 0).any():
        raise Hint("A row of zeros has no largest number: give it scale 1, or it divides by zero.")
    if not torch.allclose(scale[alive], x.abs().amax(1, keepdim=True)[alive] / top, rtol=1e-5):
        raise Hint("The scale maps a row's largest |x| onto 448, e4m3's largest number.")


def _judge_codes(x, codes, scale) -> None:
    import torch

    if tuple(codes.shape) != tuple(x.shape):
        raise Hint(f"The codes have shape {tuple(codes.shape)}, x has {tuple(x.shape)}.")
    if codes.dtype != torch.float8_e4m3fn:
        raise Hint(f"The codes should be torch.float8_e4m3fn; yours are {codes.dtype}.")
    wanted = (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
    if torch.equal(codes.float(), wanted.float()):
        return
    if codes.float().isnan().any():
        raise Hint("There is a nan among the codes: where does 0 / 0 come from?")
    if torch.equal(codes.float(), torch.round(x / scale).to(torch.float8_e4m3fn).float()):
        raise Hint("You rounded to integers first. fp8 has finer steps near zero: the cast rounds, nothing else.")
    if torch.equal(codes.float(), x.to(torch.float8_e4m3fn).float()):
        raise Hint("The codes are x itself. Divide by the scale before the cast.")
    raise Hint("The codes are not x / scale, rounded by the cast.")


# ------------------------------------------------------------------ 29.5


class Recorder:
    """Hands out recordings that know places, not names, and counts them."""

    def __init__(self):
        self.recordings = 0

    def __call__(self, call: Callable) -> tuple[Callable, object]:
        tape = _tape()
        with tape:
            made = call()
        self.recordings += 1
        return tape.replay, made


def _tape():
    """The chapter's recorder."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Tape(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.notes = []

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            made = operation(*args, **(kwargs or {}))
            self.notes.append((operation, args, kwargs or {}, made))
            return made

        def replay(self):
            for operation, args, kwargs, made in self.notes:
                again = operation(*args, **kwargs)
                if isinstance(made, torch.Tensor) and again.data_ptr() != made.data_ptr():
                    made.copy_(again)

    return Tape()


def _double_and_add(x):
    return 2 * x + 1


@check("29.5")
def check_steady(steady: Callable) -> str:
    """steady(record, function, example) → run: run(x) gives function(x) by replaying one recording."""
    import torch

    record, example = Recorder(), torch.zeros(3, 4)
    run = steady(record, _double_and_add, example)
    if run is None:
        raise Hint(NONE)
    if not callable(run):
        raise Hint("Return a function: run(x), which replays and answers.")
    inputs = [torch.full((3, 4), float(i)) for i in (1, 2, 3)]
    answers = [run(x) for x in inputs]
    if not all(isinstance(answer, torch.Tensor) for answer in answers):
        raise Hint("run(x) should return a tensor." if answers[0] is not None else f"run(x): {NONE}")
    _judge_answers(answers, inputs, record)
    if not torch.equal(example, torch.zeros(3, 4)):
        raise Hint("You record on the caller's own tensor and overwrite it. Make a place of your own: example.clone().")
    _judge_other_shape(run)
    return "one recording, three right answers, each of them kept, and a wrong shape is refused"


def _judge_answers(answers: list, inputs: list, record: Recorder) -> None:
    import torch

    wanted = [_double_and_add(x) for x in inputs]
    if record.recordings == 0:
        raise Hint("You never recorded: call record(…) once, when `steady` is called, and replay in run.")
    if record.recordings > 1:
        raise Hint("You record at every call. Record once, outside run; a recording costs far more than a step.")
    if all(torch.equal(answer, wanted[-1]) for answer in answers):
        raise Hint("Every answer became the last one: they share the recorded place. Return a clone.")
    stale = [torch.ones(3, 4), *wanted[:-1]]  # before any replay, or one behind
    if all(torch.equal(answer, torch.ones(3, 4)) for answer in answers):
        raise Hint("Always the example's answer. Copy x into the recorded place (copy_), then replay.")
    if all(torch.equal(answer, old) for answer, old in zip(answers, stale, strict=True)):
        raise Hint("Each answer is one call behind: copy, then replay, then clone, in this order.")
    if not all(torch.equal(answer, right) for answer, right in zip(answers, wanted, strict=True)):
        raise Hint("run(x) does not give function(x): copy into the recorded place, replay, clone.")


def _judge_other_shape(run: Callable) -> None:
    import torch

    try:
        run(torch.ones(1, 4))
    except ValueError:
        return
    except Exception as error:
        raise Hint(f"A wrong shape should raise ValueError; yours raised {type(error).__name__}.") from None
    raise Hint("copy_ stretched a row of another shape over the whole place, silently. Refuse it: ValueError.")

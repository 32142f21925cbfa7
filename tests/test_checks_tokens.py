"""Chapter 30's checks accept other right answers, and name mistakes that the solutions do not list."""

from collections import Counter
from itertools import pairwise

from workbench.checks.tokens import check_encode_word, check_replace_pair
from workbench.checks.tokens_train import check_learn_merges
from workbench.checks.tokens_use import check_stream_text


def test_another_right_way_to_replace_passes():
    def recursive(ids, pair, new):
        if len(ids) < 2:
            return list(ids)
        if tuple(ids[:2]) == pair:
            return [new, *recursive(ids[2:], pair, new)]
        return [ids[0], *recursive(ids[1:], pair, new)]

    assert check_replace_pair.judge(recursive).passed is True


def test_one_occurrence_at_a_time_encodes_the_same():
    def singly(word, merges):
        ids = list(word)
        while hits := [(merges[p], i) for i, p in enumerate(pairwise(ids)) if p in merges]:
            new, i = min(hits)
            ids[i : i + 2] = [new]
        return tuple(ids)

    assert check_encode_word.judge(singly).passed is True


def test_holding_bytes_back_by_hand_passes():
    def by_hand(tokens):
        out, held = [], b""
        for n, token in enumerate(tokens):
            held += token
            sent = ""
            for keep in range(min(3, len(held)) + 1):
                head, tail = held[: len(held) - keep], held[len(held) - keep :]
                try:
                    tail_is_open = not tail or tail.decode() is None
                except UnicodeDecodeError as error:
                    tail_is_open = error.reason == "unexpected end of data" and error.start == 0
                if tail_is_open and not (head and open_end(head)):
                    sent, held = head.decode(errors="replace"), tail
                    break
            if n == len(tokens) - 1:
                sent += held.decode(errors="replace")
            out.append(sent)
        return out

    def open_end(head):
        try:
            head.decode()
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data"
        return False

    assert check_stream_text.judge(by_hand).passed is True


def test_a_wrong_number_and_a_wrong_order_of_merges_are_told_apart():
    def shifted(words, count):
        return {pair: n + 1 for pair, n in reference(words, count).items()}

    def reference(words, count):
        state, merges = {w: list(w) for w in words}, {}
        while len(merges) < count:
            pairs = Counter()
            for word, ids in state.items():
                for pair in pairwise(ids):
                    pairs[pair] += words[word]
            if not pairs:
                break
            best = min(pairs, key=lambda p: (-pairs[p], p))
            merges[best] = 256 + len(merges)
            for word, ids in state.items():
                text, i = [], 0
                while i < len(ids):
                    hit = tuple(ids[i : i + 2]) == best
                    text.append(merges[best] if hit else ids[i])
                    i += 1 + hit
                state[word] = text
        return merges

    assert check_learn_merges.judge(reference).passed is True
    assert "Right pairs, wrong numbers" in check_learn_merges.judge(shifted).message

"""The data sets that were written or recorded for this book: under `book/data/`, each with its README."""

from dataclasses import dataclass
from pathlib import Path

from workbench.packaged import Packaged

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, repr=False)
class Own(Packaged):
    """Data written for this book, kept in the repository.  file: its whole path, so it is read where it lies."""

    def __repr__(self) -> str:
        return f"Own({self.name!r}, {self.sha256!r})"  # part of the runner's keys: the same in every checkout


def _own(name: str, file: str, sha256: str, what: str, rights: str = "") -> Own:
    """file: under `book/data/`.  rights: whatever is not ours in it."""
    licence = f"CC-BY-4.0 (this book's own{'; ' if rights else ''}{rights})"
    return Own(name, what, licence, str(REPOSITORY / "book" / "data" / file), sha256, sources=())


OWN = (
    _own(
        "reuse_questions",
        "reuse_questions/questions.jsonl",
        "6355bbfcde780370ab1f3c5bdf963bf2055d6ea56c64f4a2a0f46f02b584d039",
        "588 questions to the help desk of an invented cold-storage monitor: 98 answers, asked in six ways each",
    ),
    _own(
        "embedded_qa",
        "embedded_qa/questions.jsonl",
        "49be216d24785124f72e3bbaf01de2a6aad1ef1f8b5633e3b78bdab293205048",
        "158 questions to the manuals of six embedded-engineering tools, with answers and where they stand",
        rights="quoted spans under their manuals' licences",
    ),
    _own(
        "embedded_qa_judgements",
        "embedded_qa/judgements.tsv",
        "79564104428c44b3032d2e451b5609c5d4398924044cdbd1f3d55d63178820da",
        "which of the manuals' passages answer those questions: 0, 1 or 2, in two passes and settled",
    ),
    _own(
        "alarm_rules_schema",
        "alarm_rules/schema.json",
        "48bbcdac640c7f7b038854f87ec9bf5b5f03464a9c3e25843ad1d7ada85ed1ce",
        "the JSON schema of a cold-storage monitor's alarm rules",
    ),
    _own(
        "alarm_rules",
        "alarm_rules/hand_written.jsonl",
        "48b776c66961f3f2e2ce810daf3707329ed4dfd03268a0dc3ce93c2e3c56d943",
        "168 sentences of fifteen imagined users who want an alarm rule, each with the rule or what to ask first",
    ),
    _own(
        "alarm_rules_grammar",
        "alarm_rules/grammar.toml",
        "cf8ec5525ffde1f4c75761a4632979462e4c4e2a8dbbc9fabf169d73e895dfe2",
        "the grammar from which training sentences for alarm rules are drawn",
    ),
    _own(
        "alarm_rules_reworded",
        "alarm_rules/reworded.jsonl",
        "445394ec5e17f3c1c6ef976d551abf3e0762cefe23accb906d9065126071a8f8",
        "32 of the hand-written test sentences in other words: what a leak looks like that nobody copied",
    ),
    _own(
        "ordinary_requests",
        "ordinary_requests/requests.jsonl",
        "aadd7853a1c5dd8f708537ae4550af8d3e73f9baf4dfd12287ae5efc25fdff30",
        "80 ordinary requests in twenty families, each with a judge for replies: what a tuned model should still do",
    ),
    _own(
        "ordinary_rehearsal",
        "ordinary_requests/rehearsal.json",
        "10084979ef183369990d65267813ecc15912c77e7c92af9993cae7c87d3cefca",
        "sixteen frames and sixteen topics: 256 prompts to rehearse on",
    ),
    _own(
        "preference_records",
        "preferences/records.json",
        "f6558c48fa0b51898560b61a511174b6f74299ba2f5f3871ad60949c76c771ae",
        "recipes, curves, replies and log-ratios of chapter 56's trainings, and the hashes of the adapters beside it",
    ),
    _own(
        "alarm_trainings",
        "alarm_contest/trainings.json",
        "5b94ca6bb06d7df60d4d20f1a4e5fb6936e6ebf32f99262f0ee73dd3bc07222a",
        "recipe, losses and scores of every training of chapter 52",
    ),
    _own(
        "alarm_answers",
        "alarm_contest/answers.json",
        "d99468f21937b63b9235f563b0d0994a9e7b48eac17510455e7f7e5417b2de03",
        "what every contestant of chapter 52 answered, on dev and on test, and what was chosen between",
    ),
    _own(
        "alarm_adapter",
        "alarm_contest/seed0_8192.safetensors",
        "18e4f8a49f94a2320cb9fdd8e2e156643aae7df8d8bff3542ad2d7a464fb45c7",
        "an adapter of SmolLM2 for alarm rules: 8,192 sentences, seed 0: the one that chapters serve",
        rights="adapted from SmolLM2-135M-Instruct and under its Apache-2.0",
    ),
    _own(
        "alarm_adapter_seed1",
        "alarm_contest/seed1_8192.safetensors",
        "9ce4f051629ae8045cd72fd7f838e032aa24514adea3412208753ef17f00a114",
        "an adapter of SmolLM2 for alarm rules: 8,192 sentences, seed 1",
        rights="adapted from SmolLM2-135M-Instruct and under its Apache-2.0",
    ),
    _own(
        "alarm_adapter_seed2",
        "alarm_contest/seed2_8192.safetensors",
        "2918c919796490c47911e11dadd6d146c38dbe6c5d3867d1881146bf1132e4bb",
        "an adapter of SmolLM2 for alarm rules: 8,192 sentences, seed 2",
        rights="adapted from SmolLM2-135M-Instruct and under its Apache-2.0",
    ),
    _own(
        "alarm_adapter_mean",
        "alarm_contest/mean0_512.safetensors",
        "8d9bfcf39d531312878e6134279c953090c4a47b1fc2329fadb23a1274837391",
        "an adapter of SmolLM2 for alarm rules: 512 sentences, seed 0, the loss a mean over each batch",
        rights="adapted from SmolLM2-135M-Instruct and under its Apache-2.0",
    ),
    _own(
        "forgetting_answers",
        "forgetting/answers.json",
        "034d08b927e5c12d1a677f77825a82c3e2998da27b324f293057b21099521ab7",
        "what every model of chapter 54 replied, and how surprised it was",
    ),
    _own(
        "forgetting_adapter",
        "forgetting/rehearsed256_seed0.safetensors",
        "fd7a90b77efc0328b9f97f2a956cb6cd370d87b28de0c134ec29a0007857d467",
        "an adapter of SmolLM2 for alarm rules that rehearsed 256 ordinary conversations, seed 0",
        rights="adapted from SmolLM2-135M-Instruct, Apache-2.0",
    ),
)

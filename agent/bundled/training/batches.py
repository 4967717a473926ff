"""Samples as token batches: prompt and script, padded; only the script (and its end) is learnt."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from agent.bundled import script
from agent.bundled.tokens import prompt_of, written
from agent.bundled.training.corpus import Sample
from agent.bundled.training.noise import noisy
from agent.bundled.training.vocabulary import PADDING, id_of

IGNORED = -100  # as torch's cross entropy has it


@dataclass(frozen=True, slots=True)
class Batch:
    """Tokens and what follows each, both of shape (samples, length); ``IGNORED`` where nothing is learnt."""

    tokens: Tensor
    targets: Tensor


class Encoder:
    """Turns samples into tokens.

    Args:
        tokenizer: of the planner.
        context: longest prompt and script together; longer samples lose the beginning of the question.
    """

    def __init__(self, tokenizer: Tokenizer, context: int) -> None:
        self._tokenizer = tokenizer
        self._context = context
        self.padding = id_of(tokenizer, PADDING)
        self._scripts = {token: id_of(tokenizer, written(token)) for token in script.vocabulary()}
        self.end = self._scripts[script.END]

    def prompt(self, text: str) -> list[int]:
        """Tokens of a question."""
        return self._tokenizer.encode(prompt_of(text)).ids

    def script(self, plan: str) -> list[int]:
        """Tokens of a script with its end."""
        return [self._scripts[token] for token in (*plan.split(), script.END)]

    def batches(
        self, samples: Sequence[Sample], size: int, chance: random.Random, noise: float
    ) -> Iterator[Batch]:
        """Batches of about equal lengths in random order.

        Args:
            samples: of one epoch.
            size: samples in a batch.
            chance: of noise and order.
            noise: share of samples whose words are made noisy.
        """
        coded = []
        for sample in samples:
            text = noisy(sample.text, chance) if chance.random() < noise else sample.text
            plan = self.script(sample.plan)
            coded.append((self.prompt(text)[-(self._context - len(plan)) :], plan))
        coded.sort(key=lambda pair: len(pair[0]) + len(pair[1]) + chance.random())
        groups = [coded[start : start + size] for start in range(0, len(coded), size)]
        chance.shuffle(groups)
        for group in groups:
            yield self._padded(group)

    def _padded(self, group: list[tuple[list[int], list[int]]]) -> Batch:
        length = max(len(prompt) + len(plan) for prompt, plan in group)
        tokens = torch.full((len(group), length), self.padding)
        targets = torch.full((len(group), length), IGNORED)
        for row, (prompt, plan) in enumerate(group):
            both = torch.tensor([*prompt, *plan])
            tokens[row, : len(both)] = both
            targets[row, len(prompt) - 1 : len(both) - 1] = torch.tensor(plan)
        return Batch(tokens, targets)

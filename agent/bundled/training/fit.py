"""Trains the planner's network: fixed seeds, a progress bar, checkpoints that survive a kill.

Each epoch draws from its own seed, so that a run that was interrupted goes on as if it had not been.
"""

import hashlib
import json
import math
import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from tqdm import tqdm

from agent.bundled.training.batches import IGNORED, Batch, Encoder
from agent.bundled.training.corpus import Sample, mixed
from agent.bundled.training.network import Decoder, Shape
from knowledge.errors import ConfigError

CHECKPOINT = "checkpoint.safetensors"
_CHECK_SIZE = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to learn.

    Attributes:
        samples: scripts in a batch.
        rate: highest learning rate; it rises over ``warm_up`` steps and falls as a cosine.
        noise: share of questions whose words are made noisy.
        shares: of the questions, the templates and the catalogue in each epoch (1.0: each sample once).
        compiled: whether PyTorch compiles the network first, which pays after some minutes of training.
    """

    epochs: int = 20
    samples: int = 64
    rate: float = 1e-3
    warm_up: int = 150
    noise: float = 0.45
    dropout: float = 0.1
    smoothing: float = 0.02
    shares: tuple[float, float, float] = (1.0, 0.2, 0.5)
    seed: int = 1
    compiled: bool = True


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is learnt from, and what is kept apart to see how it goes."""

    questions: Sequence[Sample]
    templates: Sequence[Sample]
    catalogue: Sequence[Sample]
    apart: Sequence[Sample]


def fit(
    corpus: Corpus,
    tokenizer: Tokenizer,
    shape: Shape,
    recipe: Recipe,
    folder: Path,
    start: Path | None = None,
) -> Decoder:
    """Train, or go on with what ``folder`` holds of the same recipe.

    Args:
        corpus: samples.
        tokenizer: their vocabulary.
        shape: of the network.
        recipe: of the training.
        folder: for checkpoints and ``curve.jsonl``: epoch, loss, share of scripts right to the letter.
        start: folder of an earlier training of the same shape, whose weights are the first ones.
    """
    torch.manual_seed(recipe.seed)
    network = Decoder(shape, recipe.dropout)
    encoder = Encoder(tokenizer, shape.context)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.05)
    folder.mkdir(parents=True, exist_ok=True)
    made_of = _made_of(recipe, shape, corpus)
    done, step = _resume(folder, network, optimizer, made_of)
    path = folder / "curve.jsonl"
    # A line is written before its checkpoint; of a run that was killed in between, the last line is written again.
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:done] if path.exists() else []
    path.write_text("".join(lines), encoding="utf-8")
    if start is not None and done == 0:
        network.load_state_dict(_weights(start))
    states = torch.compile(network.states, dynamic=True) if recipe.compiled else network.states
    total = 0
    with path.open("a", encoding="utf-8") as curve:
        for epoch in range(done, recipe.epochs):
            chance = random.Random(recipe.seed * 1000 + epoch)
            torch.manual_seed(recipe.seed * 1000 + epoch)
            groups = (corpus.questions, corpus.templates, corpus.catalogue)
            samples = mixed(list(zip(groups, recipe.shares, strict=True)), chance)
            batches = list(encoder.batches(samples, recipe.samples, chance, recipe.noise))
            total = total or len(batches) * recipe.epochs
            losses = []
            for batch in tqdm(
                batches, desc=f"epoch {epoch + 1} of {recipe.epochs}", unit="batch", mininterval=5
            ):
                for group in optimizer.param_groups:
                    group["lr"] = _rate(recipe, step, total)
                losses.append(_step(network, states, batch, optimizer, recipe))
                step += 1
            right = share_right(network, encoder, corpus.apart)
            loss = sum(losses) / len(losses)
            curve.write(
                json.dumps({"epoch": epoch + 1, "loss": round(loss, 4), "right": round(right, 4)}) + "\n"
            )
            curve.flush()
            tqdm.write(
                f"epoch {epoch + 1}: loss {loss:.3f}, scripts right {right:.1%} of {len(corpus.apart)}"
            )
            _save(folder, network, optimizer, epoch + 1, step, made_of)
    return network


def share_right(network: Decoder, encoder: Encoder, samples: Sequence[Sample]) -> float:
    """Share of samples whose script is the likeliest token by token, to the letter."""
    if not samples:
        return 0.0
    network.eval()
    ordered = sorted(samples, key=lambda sample: len(sample.text))
    right = 0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(ordered), _CHECK_SIZE):
            group = ordered[start : start + _CHECK_SIZE]
            wanted = [encoder.script(sample.plan) for sample in group]
            most = max(map(len, wanted))
            found = greedy(network, encoder, [encoder.prompt(sample.text) for sample in group], most)
            right += sum(one == other for one, other in zip(found, wanted, strict=True))
    network.train()
    return right / len(samples)


def greedy(
    network: Decoder, encoder: Encoder, prompts: Sequence[Sequence[int]], most: int
) -> list[list[int]]:
    """The likeliest tokens after each prompt, up to the end token or ``most``."""
    found: list[list[int]] = [[] for _ in prompts]
    live = list(range(len(prompts)))
    for _ in range(most):
        rows = [[*prompts[row], *found[row]] for row in live]
        tokens = torch.full((len(rows), max(map(len, rows))), encoder.padding)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = torch.tensor(row)
        last = torch.tensor([len(row) - 1 for row in rows])
        state = network.states(tokens)[torch.arange(len(rows)), last]
        following = functional.linear(state, network.embedding.weight).argmax(-1).tolist()
        for row, token in zip(live, following, strict=True):
            found[row].append(token)
        live = [row for row in live if found[row][-1] != encoder.end]
        if not live:
            break
    return found


def _step(
    network: Decoder, states: object, batch: Batch, optimizer: torch.optim.AdamW, recipe: Recipe
) -> float:
    learnt = batch.targets != IGNORED
    with torch.autocast("cpu", torch.bfloat16):
        state = states(batch.tokens)[learnt]  # pyright: ignore[reportCallIssue]  # compiled or not
        logits = functional.linear(state, network.embedding.weight).float()
        loss = functional.cross_entropy(logits, batch.targets[learnt], label_smoothing=recipe.smoothing)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def _rate(recipe: Recipe, step: int, total: int) -> float:
    rising = min(1.0, (step + 1) / recipe.warm_up)
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, step / total)))
    return recipe.rate * rising * (0.01 + 0.99 * falling)


def _save(
    folder: Path, network: Decoder, optimizer: torch.optim.AdamW, epoch: int, step: int, made_of: str
) -> None:
    """Write weights, optimizer and place in one file, which replaces the last one whole."""
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    facts = {"epoch": str(epoch), "step": str(step), "made_of": made_of}
    save_file(tensors, folder / "new.safetensors", metadata=facts)
    os.replace(folder / "new.safetensors", folder / CHECKPOINT)


def _resume(folder: Path, network: Decoder, optimizer: torch.optim.AdamW, made_of: str) -> tuple[int, int]:
    """Load the last checkpoint; gives the epochs and steps that are done.

    Raises:
        ConfigError: the folder holds another training.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return 0, 0
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    if facts["made_of"] != made_of:
        raise ConfigError(
            f"The folder {folder.name!r} holds a training of other questions or with other settings. "
            "Give another folder, or empty it."
        )
    tensors = load_file(path)
    network.load_state_dict(_weights(folder))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return int(facts["epoch"]), int(facts["step"])


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors = load_file(folder / CHECKPOINT)
    return {name.removeprefix("network."): v for name, v in tensors.items() if name.startswith("network.")}


def _made_of(recipe: Recipe, shape: Shape, corpus: Corpus) -> str:
    """What a checkpoint belongs to: settings, and the SHA-256 of all that is learnt from."""
    digest = hashlib.sha256()
    for samples in (corpus.questions, corpus.templates, corpus.catalogue):
        for sample in samples:
            digest.update(f"{sample.text}\t{sample.plan}\n".encode())
    facts = {"recipe": asdict(recipe), "shape": asdict(shape), "samples": digest.hexdigest()}
    return json.dumps(facts, sort_keys=True)

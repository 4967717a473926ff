"""The planner's vocabulary: script tokens and placeholders whole, everything else in byte-level pieces.

The pieces are cut as llama.cpp cuts them for ``tokenizer.ggml.pre = "qwen2"``, so that the GGUF and the training
see the same tokens; :mod:`agent.bundled.training.export` checks that they do.
"""

from collections.abc import Iterable
from typing import get_args

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from agent.bundled import script
from agent.bundled.pointers import MOST
from agent.bundled.tokens import SEPARATOR, written
from agent.query.domains import bindings, shared_fields
from agent.query.model import Domain
from knowledge.errors import ModelError

PADDING = "[pad]"
_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def placeholders() -> tuple[str, ...]:
    """Every placeholder that a delexicalised question can have."""
    pointers = [f"<{kind}{place}>" for kind in "vten" for place in range(1, MOST[kind] + 1)]
    fields = [
        f"<{domain}.{field}>"
        for domain, binding in bindings().items()
        for field in binding.fields
        if field != "name"
    ]
    shared = [f"<{domain}.{field}>" for domain in ("patient", "admission") for field in shared_fields()]
    tags = [f"<{domain}>" for domain in get_args(Domain)]
    return tuple(
        dict.fromkeys(
            ("<one>", "<many>", "<p>", "<icu>", "<chart>", "<absent>", *pointers, *tags, *fields, *shared)
        )
    )


def specials() -> tuple[str, ...]:
    """All tokens that are whole, the first ones first."""
    return (PADDING, SEPARATOR, *map(written, script.vocabulary()), *placeholders())


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """The number of a whole token.

    Raises:
        ModelError: the tokenizer was trained for another version of the script language.
    """
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ModelError(f"The tokenizer does not know {token!r}. Train in an empty folder.")
    return found


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer of ``size`` tokens learnt from delexicalised questions."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    whole = [AddedToken(token, special=True, normalized=False) for token in specials()]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=whole,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=2,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer

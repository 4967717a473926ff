"""How a delexicalised question and a script stand in the planner's vocabulary; training and serving share it."""

SEPARATOR = "[plan]"


def written(token: str) -> str:
    """A script token as it stands in the vocabulary, apart from the words of questions."""
    return f"[{token}]"


def prompt_of(text: str) -> str:
    """What the model is given for a delexicalised question: no space before a placeholder, one before a word."""
    return "".join(part if part.startswith("<") else f" {part}" for part in text.split(" ")) + SEPARATOR

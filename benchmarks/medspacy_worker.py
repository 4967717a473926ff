"""Runs medspaCy for ``benchmarks/mentions.py``, in an environment of its own (medspaCy is no dependency of ours).

Reads one JSON object from standard input, writes one to standard output::

    {"assertion": [[text, start, end], …]}           -> {"negated": [true, …], "seconds": 1.2}
    {"names": [name, …], "texts": [text, …]}         -> {"spans": [[[start, end], …], …], "seconds": 30.1}

The first runs medspaCy's sentence splitter and ConText on given targets; the second its target matcher on all
names, in any case, then the splitter and ConText, as ``medspacy.load()`` sets them up.
"""

import json
import sys
import time

import medspacy
from loguru import logger
from medspacy.ner import TargetRule

logger.remove()  # its sentence splitter logs every token, which would count as its time


def assertion(assertion: list[list]) -> dict:
    """Whether ConText negates each target."""
    nlp = medspacy.load(medspacy_enable=["medspacy_pyrush", "medspacy_context"])
    splitter, context = nlp.get_pipe("medspacy_pyrush"), nlp.get_pipe("medspacy_context")
    context.prune_on_target_overlap = True  # a "no" inside the target says nothing of the target, as with us
    negated = []
    begun = time.process_time()
    for text, start, end in assertion:
        doc = splitter(nlp.make_doc(text))
        span = doc.char_span(start, end, label="PROBLEM", alignment_mode="expand")
        doc.ents = [span] if span is not None else []
        doc = context(doc)
        negated.append(bool(doc.ents) and bool(doc.ents[0]._.is_negated))
    return {"negated": negated, "seconds": time.process_time() - begun}


def diseases(names: list[str], texts: list[str]) -> dict:
    """Where the target matcher finds the names, longest first."""
    nlp = medspacy.load()
    nlp.get_pipe("medspacy_target_matcher").add([TargetRule(name, "PROBLEM") for name in names])
    spans = []
    begun = time.process_time()
    for text in texts:
        spans.append([[ent.start_char, ent.end_char] for ent in nlp(text).ents])
    return {"spans": spans, "seconds": time.process_time() - begun}


if __name__ == "__main__":
    request = json.load(sys.stdin)
    runs = assertion if "assertion" in request else diseases
    json.dump(runs(**request), sys.stdout)

"""Sentences about one figure: a count, a statistic, a time, a rank."""

from agent.query.model import Count, Elapsed, Percentile, Statistic
from agent.query.numerals import decimals_of, moment, number
from agent.query.phrases import label, phrase, phrases
from agent.query.provenance import PROVENANCE_CAP
from agent.query.restrictions import asked_numbers, restrictions
from agent.query.sentence import Operation, Sentence
from agent.query.speaker import SENTENCES_CAP, Speaker


class FigureSpeaker(Speaker):
    """Says figures."""

    def count(self) -> list[Sentence]:
        """How many there are."""
        ask, n = self.outcome.query.ask, int(self.outcome.rows[0][0] or 0)
        assert isinstance(ask, Count)
        behind = tuple(range(len(self.evidence)))
        own = {"patients": "patient", "admissions": "admission"}.get(ask.of, self.of.domain)
        plain = "_plain" if ask.of != "names" and not self.of.concepts and own == self.of.domain else ""
        kind = label(self.of, self.language, n if ask.of == "events" else 2)
        about = self.pooled(self.evidence[0]) if self.of.concepts and self.evidence else self.subject()
        about = about if self.of.concepts else kind
        of = restrictions(self.of, self.language)
        text = self.say(f"count.{ask.of}{plain}", n=n, subject=about, of=of, label=kind)
        return [Sentence(text, behind, (Operation("count", behind, n), *asked_numbers(self.outcome.query)))]

    def statistic(self) -> list[Sentence]:
        """A statistic, and of how many values."""
        ask = self.outcome.query.ask
        assert isinstance(ask, Statistic)
        sentences = []
        for index, (value,) in enumerate(self.outcome.rows):
            behind = self.outcome.behind(index)
            if value is None or not behind:
                continue
            evidence = self.evidence[behind[0]]
            recorded = max(decimals_of(evidence.numbers), self.places(evidence) or 0)
            places = recorded + (ask.function in ("mean", "median"))
            counted = ask.per is not None and ask.inner in ("count", "patients", "admissions")
            unit = evidence.values.get("unit") if ask.field == "value" and not counted else None
            shown = self.amount(value, unit, places if ask.field == "value" else 2)
            if ask.field == "value" and ask.function in ("min", "max") and not counted:
                shown = self.figure(value, unit, self.places(evidence))
            named = self.pooled(evidence) if self.of.concepts else label(self.of, self.language, 2)
            if ask.per is not None:
                named = phrase(self.language, f"per.{ask.per}", subject=named)
            n = sum(self.evidence[i].count for i in behind)
            many = n >= PROVENANCE_CAP  # no more of them are looked at one by one
            counted_text = phrase(self.language, "more_than", n=n) if many else n
            text = self.say(f"statistic.{ask.function}", subject=named, value=shown, n=counted_text)
            count = Operation("at_least" if many else "count", behind, n)
            operations = (Operation(ask.function, behind, float(value)), count)
            sentences.append(Sentence(text, behind, operations))
        return sentences

    def elapsed(self) -> list[Sentence]:
        """How long ago something was, or how long it lasted."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Elapsed)
        sentences = []
        for index, (value,) in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if value is None or not behind:
                continue
            evidence = self.evidence[behind[0]]
            still = "_open" if ask.what == "duration" and "end_time" not in evidence.values else ""
            named = self.subject(evidence) if self.of.concepts else label(self.of, self.language)
            text = self.say(
                f"elapsed.{ask.what}{still}",
                value=number(value, 1),
                unit=phrases(self.language)["unit"][ask.unit],
                subject=named,
                time=moment(evidence.values.get("time")),
            )
            sentences.append(Sentence(text, behind, (Operation("duration", behind, float(value)),)))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def percentile(self) -> list[Sentence]:
        """Where a value stands among all."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Percentile)
        if not rows or rows[0][0] is None:
            return []
        behind = self.outcome.behind(0)
        share = float(rows[0][0]) * 100
        about = self.subject(self.evidence[behind[0]])
        text = self.say("percentile", subject=about, value=number(ask.value), share=f"{number(share, 1)}%")
        return [
            Sentence(
                text, behind, (Operation("percentile", behind, share), Operation("asked", (), ask.value))
            )
        ]

"""Sentences about groups: the most frequent, a figure for each, balances and shares."""

from agent.answer import Cell
from agent.query.figures import COUNTED
from agent.query.model import Balance, Group, Readmission, Survival, Top
from agent.query.numerals import decimals_of, moment, number
from agent.query.phrases import label, phrase, value_word
from agent.query.sentence import Operation, OperationName, Sentence
from agent.query.speaker import SENTENCES_CAP, Speaker


class GroupSpeaker(Speaker):
    """Says groups."""

    def top(self) -> list[Sentence]:
        """The most frequent, with how often."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Top)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if ask.show_count:
                figure = float(row[1] or 0)
                name: OperationName = "sum" if ask.by == "cost" else "count"
                text = phrase(self.language, "top.counted", key=row[0], n=number(row[1]))
                sentences.append(Sentence(text, behind, (Operation(name, behind, figure),)))
            else:
                sentences.append(Sentence(phrase(self.language, "top.plain", key=row[0]), behind))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def group(self) -> list[Sentence]:
        """Each group with its figure and, where asked, its share."""
        ask, rows, columns = self.outcome.query.ask, self.outcome.rows, self.outcome.columns
        assert isinstance(ask, Group)
        counted, rate = ask.figure in COUNTED, ask.figure == "rate"
        name: OperationName = "share" if rate else "count" if counted else ask.figure  # type: ignore[assignment]
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            cells = dict(zip(columns, row, strict=True))
            behind = self.outcome.behind(index)
            if not behind or cells[ask.figure] is None:
                continue
            evidence, figure = self.evidence[behind[0]], float(cells[ask.figure] or 0) * (100 if rate else 1)
            unit = None if counted or ask.field != "value" else evidence.values.get("unit")
            places = None if counted else decimals_of(evidence.numbers) + (ask.figure in ("mean", "median"))
            shown = f"{number(figure, 1)}%" if rate else self.amount(cells[ask.figure], unit, places)
            slots = {
                "key": self._group_key(ask, row) or moment(evidence.values.get("time"))[:10],
                "value": shown,
            }
            operations = [Operation(name, behind, figure)]
            if ask.share:
                share = float(cells["share"] or 0) * 100
                operations.append(Operation("share", behind, share))
                slots["share"] = f"{number(share, 1)}%"
            text = phrase(self.language, "group.share" if ask.share else "group.figure", **slots)
            sentences.append(Sentence(text, behind, tuple(operations)))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def _group_key(self, ask: Group, row: tuple[Cell, ...]) -> str:
        """What a row's group is called; nothing where the result does not name it."""
        if not ask.show_group:
            return ""
        words = [value_word(ask.by or "", row[0], self.language)]
        words += [value_word(ask.series, row[1], self.language)] if ask.series else []
        return phrase(self.language, "list_separator").join(words)

    def balance(self) -> list[Sentence]:
        """What went in less what came out."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Balance)
        if ask.per is not None:
            sentences = []
            for index, (day, value) in enumerate(rows[:SENTENCES_CAP]):
                behind = self.outcome.behind(index)
                text = self.say("balance.day", key=day, value=number(value, 1))
                sentences.append(
                    Sentence(text, behind, (Operation("difference", behind, float(value or 0)),))
                )
            return self.listed(sentences, len(rows) - SENTENCES_CAP)
        total = float(rows[0][0] or 0)
        sums = {
            role: sum(float(n or 0) for i in self.role(role) for n in self.evidence[i].numbers)
            for role in ("input", "output")
        }
        complete = not any(e.truncated for e in self.evidence)
        behind = tuple(range(len(self.evidence)))
        operations = [Operation("difference", behind, total)]
        recorded = [role for role in sums if self.role(role)]
        operations += [Operation("sum", tuple(self.role(role)), sums[role]) for role in recorded if complete]
        shown = {
            role: phrase(
                self.language, f"balance.{role if role in recorded else f'no_{role}'}", value=number(value, 1)
            )
            for role, value in sums.items()
        }
        text = self.say("balance.all", value=number(total, 1), **shown)
        if not complete:
            text = self.say("balance.day", key=label(self.of, self.language), value=number(total, 1))
        return [Sentence(text, behind, tuple(operations))]

    def readmission(self) -> list[Sentence]:
        """How many discharges were followed by a readmission."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Readmission)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            again, discharges = int(row[-2] or 0), int(row[-1] or 0)
            behind = self.outcome.behind(index)
            back = tuple(i for i in behind if self.evidence[i].role == "readmitted")
            left = tuple(i for i in behind if self.evidence[i].role != "return")
            operations = (
                Operation("count", back, again),
                Operation("count", left, discharges),
                Operation("asked", (), ask.days),
            )
            slots = {"n": again, "of": discharges, "days": ask.days, "key": row[0]}
            text = self.say("readmission.bucket" if ask.bucket else "readmission.all", **slots)
            sentences.append(Sentence(text, behind, operations))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def survival(self) -> list[Sentence]:
        """The share that lived so long."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Survival)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if not behind or row[-1] is None:
                continue
            if ask.by is not None and not ask.show_rate:
                sentences.append(Sentence(phrase(self.language, "top.plain", key=row[0]), behind))
                continue
            share = float(row[-1]) * 100
            about = str(row[0]) if ask.by is not None else self.subject(self.evidence[behind[0]])
            text = self.say("survival", subject=about, share=f"{number(share, 1)}%", days=ask.days)
            operations = (Operation("share", behind, share), Operation("asked", (), ask.days))
            sentences.append(Sentence(text, behind, operations))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

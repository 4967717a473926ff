"""Sentences about how values changed: by how much, whether so much, and their course."""

from agent.answer import Cell
from agent.query.model import Change, Extent
from agent.query.numerals import decimals_of, moment, number
from agent.query.phrases import phrase, phrases
from agent.query.sentence import Operation, Sentence
from agent.query.speaker import SENTENCES_CAP, UNSAID_DECIMALS, Speaker


class ChangeSpeaker(Speaker):
    """Says changes and trends."""

    def change(self) -> list[Sentence]:
        """From which value to which, by how much, and whether by so much."""
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Change)
        sentences = []
        for index in range(min(len(rows), SENTENCES_CAP)):
            behind = self.outcome.behind(index)
            before = next((i for i in behind if self.evidence[i].role == "earlier"), None)
            after = next((i for i in behind if self.evidence[i].role == "later"), None)
            if before is None or after is None:
                continue
            if ask.at_least is None or rows[index][-1] is None:  # of nothing, or less, there is no multiple
                sentences.append(self._changed(before, after, rows[index][-1], ask))
                continue
            furthest = next((i for i in behind if self.evidence[i].role == "furthest"), after)
            holds = self.outcome.query.patient is None or bool(rows[index][-1])
            sentences += self._verdict(before, after, furthest, ask.at_least, holds=holds)
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def _changed(self, before: int, after: int, result: Cell, ask: Change) -> Sentence:
        behind = tuple(dict.fromkeys((before, after)))
        slots = self._two_values(before, after)
        if self._are_one(before, after):
            return Sentence(self.say("change.single", **slots), behind)
        if ask.as_comparison is not None:
            return Sentence(self.say(f"change.{'holds' if result else 'fails'}", **slots), behind)
        direction, sizes, operations = self._sizes(before, after)
        text = self.say(f"change.{direction}", **sizes, **slots)
        return Sentence(text.replace(" ()", "").replace("（）", ""), behind, operations)

    def _verdict(
        self, before: int, after: int, furthest: int, extent: Extent, *, holds: bool
    ) -> list[Sentence]:
        """Yes or no with the values; it rests on the furthest one, and the latest is said, too."""
        if self._are_one(before, after):
            return [Sentence(self.say("change.single", **self._two_values(before, after)), (before,))]
        verdict = "holds" if holds else "fails"
        first, last, far = (float(self.evidence[i].numbers[0] or 0) for i in (before, after, furthest))
        if far in (first, last) or (far > first) != (extent.direction == "rise"):
            return [self._by_extent(f"extent.{verdict}", before, after, extent)]
        return [
            self._by_extent(f"extent.{verdict}_between", before, furthest, extent),
            self._by_extent("extent.latest", before, after, extent),
        ]

    def _by_extent(self, key: str, before: int, after: int, extent: Extent) -> Sentence:
        old, new = (float(self.evidence[i].numbers[0] or 0) for i in (before, after))
        direction, sizes, found = self._sizes(before, after)
        change = phrase(self.language, f"extent.{direction}", **sizes).replace(" ()", "").replace("（）", "")
        operations, times = list(found), ""
        if old:
            ratio = new / old
            bound = extent.by if extent.direction == "rise" else 1 / extent.by
            shown = next((p for p in range(2, UNSAID_DECIMALS) if round(ratio, p) != round(bound, p)), 2)
            times = phrase(self.language, "extent.times", ratio=number(ratio, shown))
            operations.append(Operation("ratio", (before, after), ratio))
        pick = phrases(self.language)["pick"]["max" if extent.direction == "rise" else "min"]
        slots = {**self._two_values(before, after), "times": times, "change": change, "pick": pick}
        return Sentence(self.say(key, **slots), (before, after), tuple(operations))

    def _are_one(self, before: int, after: int) -> bool:
        earlier, later = self.evidence[before], self.evidence[after]
        return earlier.table == later.table and earlier.row_ids == later.row_ids

    def _two_values(self, before: int, after: int) -> dict[str, object]:
        """The earlier and the later value with their times, and whose they are."""
        earlier, later = self.evidence[before], self.evidence[after]
        unit = later.values.get("unit")
        text_subject = self.subject(later)
        if self.outcome.query.patient is None:
            text_subject = self.of_patient(text_subject, later)
        return {
            "subject": text_subject,
            "earlier": self.figure(earlier.numbers[0], unit, self.places(earlier)),
            "later": self.figure(later.numbers[0], unit, self.places(later)),
            "earlier_time": moment(earlier.values.get("time")),
            "later_time": moment(later.values.get("time")),
        }

    def _sizes(self, before: int, after: int) -> tuple[str, dict[str, str], tuple[Operation, ...]]:
        """Whether a value rose, fell or stayed the same, by how much, and by which share of the earlier one."""
        earlier, later = self.evidence[before], self.evidence[after]
        old, new = float(earlier.numbers[0] or 0), float(later.numbers[0] or 0)
        if old == new:
            return "same", {}, ()
        places = self.places(later)
        if places is None:
            places = decimals_of((earlier.numbers[0], later.numbers[0]))
        sizes = {"difference": self.figure(abs(new - old), later.values.get("unit"), places), "percent": ""}
        operations = [Operation("difference", (before, after), abs(new - old))]
        if old:
            share = abs(new - old) / abs(old) * 100
            sizes["percent"] = f"{number(share, 0 if share >= 10 else 1)}%"
            operations.append(Operation("percent", (before, after), share))
        return "rose" if new > old else "fell", sizes, tuple(operations)

    def trend(self) -> list[Sentence]:
        """The course of each series: its ends, its turn, its range."""
        where = {name: i for i, name in enumerate(self.outcome.columns)}
        series: dict[tuple[Cell, ...], list[int]] = {}
        for index, row in enumerate(self.outcome.rows):
            key = tuple(row[where[name]] for name in ("subject_id", "name", "unit") if name in where)
            if row[where["value"]] is not None:
                series.setdefault(key, []).append(index)
        sentences = []
        for indices in list(series.values())[:SENTENCES_CAP]:
            sentences += self._series(indices, where)
        return sentences

    def _series(self, indices: list[int], where: dict[str, int]) -> list[Sentence]:
        rows = self.outcome.rows
        value, time = where["value"], where["time"]
        low = min(indices, key=lambda i: float(rows[i][value] or 0))
        high = max(indices, key=lambda i: float(rows[i][value] or 0))
        first, last = indices[0], indices[-1]
        slots: dict[str, object] = {}
        for name, index in (("first", first), ("last", last), ("low", low), ("high", high)):
            place = self.places(self.evidence[self.outcome.behind(index)[0]])
            slots[name] = self.figure(rows[index][value], rows[index][where["unit"]], place)
            slots[f"{name}_time"] = moment(rows[index][time])
        behind = self.outcome.behind(first)
        about = self.evidence[behind[0]] if behind else None
        slots["subject"] = self.subject(about)
        if "subject_id" in where and about is not None:
            slots["subject"] = self.of_patient(str(slots["subject"]), about)
        if len(indices) == 1:
            return [Sentence(self.say("trend.single", **slots), behind)]
        old, new = float(rows[first][value] or 0), float(rows[last][value] or 0)
        key = "same" if old == new else "rose" if new > old else "fell"
        peak, trough = (
            float(rows[high][value] or 0) > max(old, new),
            float(rows[low][value] or 0) < min(old, new),
        )
        turn = high if peak and not trough else low if trough and not peak else None
        if turn is not None:
            key = "peak" if peak else "trough"
        ends = tuple(
            dict.fromkeys(
                (
                    *behind,
                    *self.outcome.behind(last),
                    *(self.outcome.behind(turn) if turn is not None else ()),
                )
            )
        )
        extremes = tuple(dict.fromkeys((*self.outcome.behind(low), *self.outcome.behind(high))))
        everything = tuple(i for index in indices for i in self.outcome.behind(index))
        count = Operation("count", everything, len(indices))
        lowest = Operation("min", everything, float(rows[low][value] or 0))
        highest = Operation("max", everything, float(rows[high][value] or 0))
        return [
            Sentence(self.say(f"trend.{key}", **slots), ends),
            Sentence(self.say("trend.range", n=len(indices), **slots), extremes, (lowest, highest, count)),
        ]

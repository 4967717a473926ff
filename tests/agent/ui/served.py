"""What the tests of the page share: a note that would like to be a program, and a planner that can be held."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.agent import ClinicalAgent
from agent.planning.plan import Plan, Planner

HOSTILE = "<script>alert(1)</script> ${alert(2)} {{constructor}} <img src=x onerror=alert(3)>"
HOSTILE_NOTE = (
    f"NURSING NOTE\nPressure ulcer on the left heel, labelled {HOSTILE} by the source.\nTurned two-hourly."
)
HOSTILE_NOTE_ID = 9


@dataclass
class HeldPlanner:
    """A planner that waits, for a question with the word "hold" in it, until the test lets it go."""

    planner: Planner
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def plan(self, question: str, *rest: Any, **named: Any) -> Plan:
        if "hold" in question:
            self.reached.set()
            assert self.go.wait(20)
        return self.planner.plan(question, *rest, **named)


@dataclass(frozen=True)
class Served:
    """A page that is being served."""

    address: str
    home: Path
    agent: ClinicalAgent
    planner: HeldPlanner

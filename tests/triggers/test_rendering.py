"""The report as a page and as Markdown: nothing left out, nothing put in by others."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
import sys
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from domain.approvals import GateName
from domain.gate import Choice, Judgement
from domain.journey import Measured
from domain.lifecycle import Act
from domain.report import Report, RunOutcome
from domain.request import Mode, PointChoice, Select
from triggers.rendering import as_html, as_markdown, headline
from triggers.templating import NOTHING, span


def _sample_reports() -> ModuleType:
    """Load the file beside this one: tests are modules by path, not a package."""
    spec = importlib.util.spec_from_file_location("sample_reports", Path(__file__).with_name("reports.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reports = _sample_reports()
HOSTILE = "<script>alert(1)</script>|`x` **loud** [a](http://evil.example) \"'&\n# big\n---"
RENDERERS = pytest.mark.parametrize("render", [as_html, as_markdown])
# As hostile as an id can be that a door lets in.
HOSTILE_ID = re.sub(r"[\\?#%\x00-\x20]", "", HOSTILE)


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile() -> Report:
    """A report in which every text that somebody else may write is an attack."""
    machine = reports.machine(name=HOSTILE, vm_name=HOSTILE, words=HOSTILE)
    entry = reports.decision(
        GateName.COMMIT,
        980,
        by=HOSTILE,
        comment=HOSTILE,
        why=HOSTILE,
        method=HOSTILE,
        machines=(HOSTILE,),
        recovery_points={HOSTILE: PointChoice(select=Select.CUSTOM, id=HOSTILE_ID)},
    )
    bad = reports.failed()
    failing = bad.machines[0].having(name=HOSTILE, failure=bad.machines[0].failure.having(what=HOSTILE))
    return reports.report(
        id=HOSTILE,
        words=HOSTILE,
        vault=HOSTILE,
        requested_by=HOSTILE,
        machines=(machine, failing),
        decisions=(entry,),
        warnings=(HOSTILE,),
        request={"machines": [HOSTILE], "note": "```\nout of the fence"},
    )


def every_value(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [text for key, value in document.items() if key != "id" for text in every_value(value)]
    if isinstance(document, list):
        return [text for value in document for text in every_value(value)]
    return [document] if isinstance(document, str) else []


@RENDERERS
def test_a_report_of_every_kind_can_be_shown(render: Any) -> None:
    kinds = (reports.report(), reports.failed(), reports.planned(), reports.report(machines=(), decisions=()))
    assert all(headline(each) in render(each.to_wire()) for each in kinds)


def test_the_outcome_comes_before_anything_else() -> None:
    assert as_markdown(reports.report().to_wire()).startswith("# Home and protected\n")
    page = Page(as_html(reports.failed().to_wire()))
    headings = [tag for tag, _ in page.tags if tag in {"h1", "h2", "h3", "table", "dl"}]
    assert headings[0] == "h1"
    assert headline(reports.failed()) == "Not brought home"


def test_home_is_not_called_protected_unless_every_machine_is() -> None:
    one = reports.machine(name="web", protected=False)
    report = reports.report(machines=(reports.machine(), one))
    assert headline(report) == "Home, not protected"


def test_a_drill_that_succeeded_is_not_called_home() -> None:
    assert headline(reports.report(mode=Mode.DRILL)) == "Rehearsed and cleaned up"


@RENDERERS
def test_an_auditor_finds_who_decided_what_when_why_and_on_which_evidence(render: Any) -> None:
    shown = render(reports.report().to_wire())
    for entry in reports.report().decisions:
        assert entry.plan_hash in shown
        assert f"{entry.at:%Y-%m-%d %H:%M:%S} UTC" in shown
        assert entry.comment in shown
        assert entry.by in shown
    assert "dana@contoso.com" in shown


@RENDERERS
def test_every_job_shows_its_start_end_length_id_and_request_id(render: Any) -> None:
    shown = render(reports.report().to_wire())
    for job in reports.jobs():
        for part in (
            f"{job.started:%Y-%m-%d %H:%M:%S} UTC",
            f"{job.ended:%Y-%m-%d %H:%M:%S} UTC",
            span(job.ended - job.started),
            job.id.rsplit("/", 1)[-1],
            job.request_id,
        ):
            assert part in shown


@RENDERERS
def test_what_it_cost_and_which_point_was_used_is_told(render: Any) -> None:
    shown = render(reports.report().to_wire())
    expected = ("1 min 25 s", "2 min 20 s", "17 min 14 s", "ab12cd34-point", "2026-01-15 12:09:00 UTC")
    assert all(each in shown for each in expected)


@RENDERERS
def test_what_was_not_measured_is_not_shown_as_nothing(render: Any) -> None:
    report = reports.report(machines=(reports.machine(measured=Measured()),))
    shown = re.sub(r"<[^>]+>|\|", " ", render(report.to_wire()))
    assert re.search(rf"[Dd]ata loss\s+{NOTHING}", shown)


def test_warnings_stand_before_the_facts_and_are_announced() -> None:
    page = Page(as_html(reports.failed().to_wire()))
    alarms = [number for number, (_, attrs) in enumerate(page.tags) if attrs.get("role") == "alert"]
    facts = [number for number, (tag, _) in enumerate(page.tags) if tag == "dl"]
    assert len(alarms) == 3
    assert alarms[0] < facts[0]
    assert "test failover was not cleaned up" in page.text


def test_a_job_of_somebody_else_is_not_shown_as_ours() -> None:
    assert "adopted" in as_html(reports.failed().to_wire())
    assert "| adopted |" in as_markdown(reports.failed().to_wire())
    assert "adopted" not in as_html(reports.report().to_wire())


def test_a_decision_that_did_not_count_says_so() -> None:
    late = reports.decision(GateName.COMMIT, 990, judgement=Judgement.LATE, why="the gate is closed")
    report = reports.report(decisions=(late,)).to_wire()
    assert "late: the gate is closed" in as_markdown(report)
    assert "the gate is closed" in Page(as_html(report)).text


def test_another_recovery_point_asked_for_at_a_gate_is_named() -> None:
    changed = reports.decision(
        GateName.COMMIT,
        990,
        decision=Choice.CHANGE_POINT,
        recovery_points={"ContosoWin2016": PointChoice(select=Select.CUSTOM, id="points/older-one")},
    )
    for render in (as_html, as_markdown):
        assert "custom older-one" in render(reports.report(decisions=(changed,)).to_wire())


def test_two_clocks_that_disagree_are_explained() -> None:
    simulated = reports.report(ended=reports.after(60)).to_wire()
    for render in (as_html, as_markdown):
        assert "clock ran ahead" in render(simulated)
        assert "clock ran ahead" not in render(reports.report().to_wire())


def test_the_page_runs_nothing_and_loads_nothing_whatever_the_report_says() -> None:
    page = Page(as_html(hostile().to_wire()))
    assert not page.open
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name in {"src", "style"} for name in attributes), tag
        assert str(attributes.get("href", "#")).startswith("#")


def test_the_page_shows_hostile_words_as_they_are() -> None:
    words = " ".join(HOSTILE.split())
    assert Page(as_html(hostile().to_wire())).text.count(words) >= 10


def test_the_pages_own_policy_admits_its_style_and_no_other() -> None:
    text = as_html(reports.report().to_wire())
    style = text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = [attrs["content"] for tag, attrs in Page(text).tags if attrs.get("http-equiv")]
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]


def test_the_page_suits_the_dark_the_phone_and_the_printer() -> None:
    text = as_html(reports.report().to_wire())
    for part in ("prefers-color-scheme: dark", "max-width: 40rem", "@media print", 'name="viewport"'):
        assert part in text


def test_markdown_cannot_be_broken_out_of() -> None:
    text = as_markdown(hostile().to_wire())
    before, after = text.split("## The request")
    assert "<script" not in before
    assert not re.search(r"(?<!\\)`", before)
    assert "](" not in before.replace("\\](", "")
    assert not re.search(r"^(# big|---)", before, re.MULTILINE)
    assert re.search(r"^````json$", after, re.MULTILINE)


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    width = None
    for line in as_markdown(hostile().to_wire()).split("## The request")[0].splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


def test_a_machine_of_a_large_run_can_be_jumped_to() -> None:
    machines = tuple(reports.machine(name=f"web-{number}") for number in range(40))
    page = Page(as_html(reports.report(machines=machines).to_wire()))
    targets = {f"#{attrs['id']}" for _, attrs in page.tags if attrs.get("id")}
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert len(links) == 40
    assert set(links) <= targets


@RENDERERS
def test_a_plan_lists_its_acts_and_what_they_cost(render: Any) -> None:
    shown = render(reports.planned().to_wire())
    for part in ("failover of ContosoWin2016 from eastus to centralus", "3 min 25 s", "16 reads", "5 writes"):
        assert part in shown


@RENDERERS
def test_no_text_of_a_report_is_lost(render: Any) -> None:
    """Apart from what is rewritten: instants, lengths of time, ids, and names of things that words stand for."""
    report = reports.failed()
    document = report.to_wire()
    document.pop("request")
    rewritten = re.compile(r"^\d{4}-|^-?P|^/sub|^(away|home)_|_|^(Succeeded|[A-Z][a-zA-Z]+(Failover|Cleanup))$")
    shown = render(report.to_wire())
    missing = {text for text in every_value(document) if not rewritten.search(text) and text not in shown}
    # A task is a detail that the page folds away and a table has no room for.
    assert missing <= {task.name for job in report.machines[0].jobs for task in job.tasks}


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (None, NOTHING),
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.7), "1 min"),
        (timedelta(seconds=203), "3 min 23 s"),
        (timedelta(hours=25, minutes=3), "1 d 1 h"),
        (timedelta(seconds=-90), "-1 min 30 s"),
    ],
)
def test_lengths_of_time_are_written_for_people(length: timedelta | None, words: str) -> None:
    assert span(length) == words


def test_a_report_of_a_newer_version_is_still_shown() -> None:
    document = reports.report().to_wire() | {"addedLater": {"any": "thing"}}
    assert "Home and protected" in as_html(document)


def test_every_act_has_words() -> None:
    jobs = tuple(reports.job(act, "Scenario", 0, 10, ("Task",)) for act in Act)
    assert "re-protection" in as_html(reports.report(machines=(reports.machine(jobs=jobs),)).to_wire())


@pytest.mark.parametrize("outcome", list(RunOutcome))
def test_every_outcome_has_a_headline(outcome: RunOutcome) -> None:
    assert headline(reports.report(outcome=outcome))

"""Both gates as an approver meets them: in a browser, on a phone and at a desk, by day and by night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.pages.served import Served
from tests.rehearsal import NAME, Rehearsal

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

PICTURES: Final = Path("build/pages")
PHONE: Final = {"width": 390, "height": 844}
DESK: Final = {"width": 1280, "height": 900}
# What a fault of these weights does to somebody who cannot see, or has no mouse, is no detail.
SERIOUS: Final = {"serious", "critical"}
OPTIONS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def served() -> Iterator[Served]:
    with Served(Rehearsal()) as served:
        yield served


def at(browser: Browser, screen: Any = DESK, scheme: Any = "light", user: str | None = None) -> BrowserContext:
    """Sit down at a screen; a script on a page would be a fault, so none is allowed to run."""
    headers = {"X-Failback-User": user} if user else {}
    context = browser.new_context(viewport=screen, color_scheme=scheme, extra_http_headers=headers)
    context.set_default_timeout(20_000)
    return context


def approve(page: Page, words: str, comment: str) -> None:
    page.get_by_role("radio", name=words).check()
    page.get_by_label("Reason").fill(comment)
    page.get_by_role("button", name="Record my decision").click()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()


def test_both_gates_are_walked_through_by_links(browser: Browser, served: Served) -> None:
    served.start(approvals={"quorum": 2, "approvers": ["olive@contoso.com", "omar@contoso.com"]})

    # The first gate: Olive opens her link, reads, and approves; her link is used up by it.
    gate = served.asked()
    link = served.link(gate, "olive@contoso.com")
    page = at(browser).new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name=f"Shall {NAME} come home?")).to_be_visible()
    expect(page.get_by_text("2 people must approve, 0 so far")).to_be_visible()
    approve(page, "Approve: bring home", "the test machine serves pages")
    page.goto(link)
    expect(page.get_by_role("heading", name="The link was used")).to_be_visible()

    # Omar completes the quorum, on his phone.
    phone = at(browser, PHONE, "dark").new_page()
    phone.goto(served.link(gate, "omar@contoso.com"))
    expect(phone.get_by_text("2 people must approve, 1 so far")).to_be_visible()
    expect(phone.get_by_text("the test machine serves pages")).to_be_visible()
    approve(phone, "Approve: bring home", "agreed")

    # The second gate: they go to another recovery point, and the gate comes back.
    gate = served.asked()
    assert gate["gate"] == "commit"
    for person in ("olive@contoso.com", "omar@contoso.com"):
        page.goto(served.link(gate, person))
        page.get_by_role("radio", name="Go to another recovery point").check()
        page.get_by_label(NAME, exact=True).select_option(index=6)
        page.get_by_role("button", name="Record my decision").click()
        expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    again = served.asked()
    assert (again["gate"], again["round"]) == ("commit", 2)

    # What the old round showed is answered no more.
    page.goto(served.link(gate, "olive@contoso.com"))
    expect(page.get_by_role("heading", name="The gate is closed")).to_be_visible()

    for person in ("olive@contoso.com", "omar@contoso.com"):
        page.goto(served.link(again, person))
        approve(page, "Approve: commit", "all is well")
    report = served.report()
    assert report["outcome"] == "succeeded"
    assert {entry["method"] for entry in report["decisions"]} == {"link"}
    assert {entry["by"] for entry in report["decisions"]} == {"olive@contoso.com", "omar@contoso.com"}


def test_who_is_signed_in_decides_on_the_runs_page_by_keyboard_alone(browser: Browser, served: Served) -> None:
    served.start()
    served.asked()
    page = at(browser, user="olive@contoso.com").new_page()
    page.goto(f"{served.url}/api/ui")
    page.get_by_role("link", name=f"Decide on {served.rehearsal.run}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    page.get_by_role("radio", name="Stop").focus()
    page.keyboard.press("Space")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    assert served.report()["outcome"] == "stopped"


def test_a_voice_is_handed_over_and_the_delegate_is_shown_for_whom_they_speak(
    browser: Browser, served: Served
) -> None:
    served.start(approvals={"approvers": ["olive@contoso.com"]})
    gate = served.asked()
    page = at(browser, user="olive@contoso.com").new_page()
    page.goto(f"{served.url}/api/ui/failbacks/{served.rehearsal.run}")
    # Whom to name is asked for with that answer alone.
    expect(page.get_by_label("Who decides instead")).to_be_hidden()
    page.get_by_role("radio", name="Hand my voice over").check()
    page.get_by_label("Who decides instead").fill("pia@contoso.com")
    expect(page.get_by_label("Act not before (UTC)")).to_be_hidden()
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "hand-over-desk-light.png", full_page=True)
    page.get_by_label("Reason").fill("on leave until Monday")
    page.get_by_role("button", name="Record my decision").click()
    expect(page.get_by_text("olive@contoso.com: delegate to pia@contoso.com")).to_be_visible()
    page.get_by_role("link", name="Back to the run").click()
    expect(page.get_by_text("You handed your voice to pia@contoso.com")).to_be_visible()
    expect(page.get_by_role("button", name="Record my decision")).to_have_count(0)

    looked = browser.new_context(viewport=PHONE, color_scheme="dark", bypass_csp=True)  # type: ignore[arg-type]
    phone = looked.new_page()
    phone.goto(served.link(gate, "pia@contoso.com"))
    expect(phone.get_by_text("You speak for olive@contoso.com as well: “on leave until Monday”")).to_be_visible()
    # A voice that was handed over is not handed on.
    expect(phone.get_by_role("radio", name="Hand my voice over")).to_have_count(0)
    phone.screenshot(path=PICTURES / "hand-over-phone-dark.png", full_page=True)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(phone).response["violations"]
    assert [each["id"] for each in found if each["impact"] in SERIOUS] == []
    approve(phone, "Approve: bring home", "looked at it for her")
    assert served.asked()["gate"] == "commit"


def test_without_an_answer_a_form_is_not_sent(browser: Browser, served: Served) -> None:
    served.start()
    gate = served.asked()
    page = at(browser).new_page()
    page.goto(served.link(gate, "olive@contoso.com"))
    page.get_by_role("button", name="Record my decision").click()
    assert page.get_by_role("radio", name="Approve: bring home").evaluate("each => !each.validity.valid")
    expect(page.get_by_role("heading", name=f"Shall {NAME} come home?")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("screen", "name"), [(PHONE, "phone"), (DESK, "desk")])
def test_no_page_shuts_anybody_out(
    browser: Browser, served: Served, screen: dict[str, int], name: str, scheme: str
) -> None:
    served.start()
    gate = served.asked()
    context = at(browser, screen, scheme, user="olive@contoso.com")
    # The rules themselves are a script; the page's own policy would not let them in.
    looked = browser.new_context(
        viewport=screen,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
        extra_http_headers={"X-Failback-User": "olive@contoso.com"},
        bypass_csp=True,
    )
    pages = {
        "runs": f"{served.url}/api/ui",
        "run": f"{served.url}/api/ui/failbacks/{served.rehearsal.run}",
        "approval": served.link(gate, "olive@contoso.com"),
        "gone": f"{served.url}/api/ui/failbacks/fb-none",
    }
    PICTURES.mkdir(parents=True, exist_ok=True)
    page, faults = looked.new_page(), list[str]()
    complaints = list[str]()
    shown = context.new_page()
    shown.on("console", lambda said: complaints.append(said.text))
    for title, url in pages.items():
        shown.goto(url)
        shown.screenshot(path=PICTURES / f"{title}-{name}-{scheme}.png", full_page=True)
        assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{title} is too wide"
        page.goto(url)
        found = Axe().run(page).response["violations"]
        faults += [f"{title}: {each['id']}: {each['help']}" for each in found if each["impact"] in SERIOUS]
    assert faults == []
    # Of a page that may load nothing, the browser must have nothing to complain of, but for a page that is not.
    assert [each for each in complaints if "404" not in each and "favicon" not in each] == []

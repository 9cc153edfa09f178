"""Every link of every page leads somewhere."""

from __future__ import annotations

import pytest

from tests.docs.pages import ROOT, anchors, links, names, text

LINKS = [(page, link) for page in names() for link in links(page) if not link.startswith("https://")]


def test_there_are_pages_and_links() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/runbook.md", "docs/decisions/README.md"} <= set(names())
    assert len(LINKS) > 50


@pytest.mark.parametrize(("page", "link"), LINKS, ids=[f"{page}: {link}" for page, link in LINKS])
def test_a_link_leads_to_a_file_and_a_heading_of_it(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
    assert target.exists()
    assert target.is_relative_to(ROOT)
    if anchor:
        assert anchor in anchors(str(target.relative_to(ROOT)))


@pytest.mark.parametrize("page", names())
def test_nothing_is_linked_without_encryption(page: str) -> None:
    assert [link for link in links(page) if link.startswith("http://")] == []


def test_every_page_of_the_docs_is_reached_from_the_readme() -> None:
    reached, left = set[str](), ["README.md"]
    while left:
        page = left.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            target = ((ROOT / page).parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_relative_to(ROOT):
                left.append(str(target.relative_to(ROOT)))
    assert [page for page in names() if page not in reached] == []


@pytest.mark.parametrize("page", [page for page in names() if page.startswith("docs/decisions/0")])
def test_a_decision_states_context_choice_and_cost_and_is_in_the_index(page: str) -> None:
    assert [word for word in ("Context", "Choice", "Cost") if f"**{word}.**" not in text(page)] == []
    assert page.rpartition("/")[2] in links("docs/decisions/README.md")

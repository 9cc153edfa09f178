"""Teams and Slack: what is sent fits what they document, leads to the page, and carries nobody's links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.notices import Attempt, DeliveryStatus, Notice
from gateway.azure import Azure
from gateway.notices import slack, teams
from tests.notices.conftest import NOON, SECRET, notice
from tests.notices.receivers import Receiver, Reply
from tests.notices.shapes import fits_slack, fits_teams
from tests.notices.test_webhook import deliver

Open = Callable[..., Receiver]
Acting = Callable[..., Azure]
BASE = "https://failback.contoso.com"
PAGE = f"{BASE}/api/ui/failbacks/fb-1"
EVIL = "[look](https://evil.test) <https://evil.test|here> <!channel> *& ünï* {{DATE(2020-01-01T00:00:00Z)}}"


def settings(channel: str, receiver: Receiver) -> dict[str, Any]:
    return {f"{channel}_webhook": f"{receiver.url}/hook?sig={SECRET}", "public_url": BASE}


def texts(card: dict[str, Any]) -> list[str]:
    return ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]


@pytest.mark.parametrize("channel", ["teams", "slack"])
def test_a_room_is_told_over_http_and_its_secret_is_only_in_the_request(
    acting: Acting, open_receiver: Open, channel: str
) -> None:
    receiver = open_receiver(Reply(status=202, body=b"ok"))
    azure = acting(**settings(channel, receiver))
    assert azure.settings.channels() == (channel,)
    attempt = deliver(channel)
    assert attempt.delivery.status is DeliveryStatus.SENT
    (got,) = receiver.got
    assert got.path == f"/hook?sig={SECRET}"
    assert got.headers["content-type"] == "application/json; charset=utf-8"
    {"teams": fits_teams, "slack": fits_slack}[channel](got.body)
    assert SECRET not in repr(attempt)


@pytest.mark.parametrize("channel", ["teams", "slack"])
def test_a_room_that_is_too_busy_is_left_alone_for_as_long_as_it_says(
    acting: Acting, open_receiver: Open, channel: str
) -> None:
    acting(**settings(channel, open_receiver(Reply(status=429, headers={"Retry-After": "3"}))))
    attempt: Attempt = deliver(channel)
    assert (attempt.delivery.status, attempt.again_after) == (DeliveryStatus.FAILED, timedelta(seconds=3))


@pytest.mark.parametrize(("status", "word"), [(400, b"invalid_blocks"), (404, b"no_service"), (410, b"gone")])
def test_a_hook_that_refuses_is_not_asked_again(
    acting: Acting, open_receiver: Open, status: int, word: bytes
) -> None:
    acting(**settings("slack", open_receiver(Reply(status=status, body=word))))
    attempt = deliver("slack")
    assert attempt.again_after is None
    assert attempt.delivery.words == f"answered {status}: {word.decode()}"


@pytest.mark.parametrize("channel", ["teams", "slack"])
def test_a_room_whose_address_is_not_safe_gets_nothing(acting: Acting, channel: str) -> None:
    acting(**{f"{channel}_webhook": f"http://hooks.test/{SECRET}"})
    words = deliver(channel).delivery.words
    assert words == f"FAILBACK_{channel.upper()}_WEBHOOK is not a URL with https (http is for this machine only)"


def test_the_card_says_everything_and_its_button_opens_the_page() -> None:
    card = fits_teams(teams.message(notice(), PAGE))
    assert texts(card) == [
        notice().title,
        *notice().words,
        *(f"{name}: {value}" for name, value in notice().facts.items()),
    ]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Review and decide", "url": PAGE}]


def test_the_blocks_say_everything_and_their_button_opens_the_page() -> None:
    header, words, facts, actions = fits_slack(slack.message(notice(), PAGE))["blocks"]
    assert header["text"]["text"] == notice().title
    assert words["text"]["text"] == "\n".join(notice().words)
    assert facts["fields"][0]["text"] == "*Machines*\nContosoWin2016"
    assert actions["elements"][0]["url"] == PAGE


def test_where_nobody_can_reach_the_app_by_link_the_command_is_named() -> None:
    card = fits_teams(teams.message(notice(), None))
    assert "actions" not in card
    assert "On the command line: failback decide fb-1" in texts(card)
    blocks = fits_slack(slack.message(notice(ask=None), None))["blocks"]
    assert [block["type"] for block in blocks] == ["header", "section", "section"]
    assert "On the command line: failback watch fb-1" in blocks[1]["text"]["text"]


def test_what_is_only_told_opens_the_run_and_what_is_urgent_looks_urgent() -> None:
    told = notice(ask=None, urgent=True)
    card = fits_teams(teams.message(told, PAGE))
    assert card["actions"][0]["title"] == "Open the run"
    assert card["body"][0]["inlines"][0]["color"] == "Attention"
    assert fits_slack(slack.message(told, PAGE))["blocks"][0]["text"]["text"].startswith("\N{WARNING SIGN} ")


def test_nobodys_words_become_a_link_a_mention_or_a_date() -> None:
    told = notice(title=EVIL, words=(EVIL,), facts={EVIL: EVIL})
    fits_slack(slack.message(told, PAGE))
    # Only TextBlock and FactSet read Markdown and dates; the shape allows neither.
    assert EVIL in texts(fits_teams(teams.message(told, PAGE)))


def long_notice(lines: int, length: int) -> Notice:
    text = "&ü<" * length
    return notice(
        title=text, words=tuple([text] * lines), facts={f"{number}{text}": text for number in range(lines)}
    )


@pytest.mark.parametrize(("lines", "length"), [(1, 20_000), (100, 300), (400, 3), (60, 1)])
def test_a_notice_of_any_length_is_cut_to_what_is_taken_and_its_button_stays(lines: int, length: int) -> None:
    told = long_notice(lines, length)
    card = fits_teams(teams.message(told, PAGE))
    assert card["actions"]
    blocks = fits_slack(slack.message(told, PAGE))["blocks"]
    assert blocks[-1]["type"] == "actions"


@given(title=st.text(min_size=1), words=st.lists(st.text()), facts=st.dictionaries(st.text(), st.text()))
def test_no_words_at_all_break_what_is_sent(title: str, words: list[str], facts: dict[str, str]) -> None:
    told = notice(title=title, words=tuple(words), facts=facts, at=NOON)
    fits_teams(teams.message(told, PAGE))
    fits_slack(slack.message(told, None))


def test_what_is_cut_is_never_cut_inside_an_escape() -> None:
    assert slack.escaped("&" * 3_000, 3_000).endswith("&amp;…")
    assert slack.escaped("a" * 3_000, 3_000) == "a" * 3_000

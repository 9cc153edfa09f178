"""Asking the app: what is repeated and what never is, what is sent to whom, and how refusals are read."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from cli.api import REFUSED, UNREACHABLE, Failbacks, TroubleError


def client(fake: Any, **more: Any) -> Failbacks:
    return Failbacks(fake.url, pause=0.01, **more)


@pytest.mark.parametrize("tail", ["", "/", "/api", "/api/"])
def test_the_address_may_end_in_api_or_not(fake: Any, tail: str) -> None:
    assert Failbacks(fake.url + tail).runs() == []
    assert fake.paths("GET") == ["/api/failbacks"]


def test_a_start_whose_answer_was_lost_is_asked_again_under_the_same_key(fake: Any) -> None:
    fake.mishaps = ["close"]
    assert client(fake).start({"vault": "v"}, "key-1")["id"] == "fb-1"
    assert [each.headers["Idempotency-Key"] for each in fake.asked] == ["key-1", "key-1"]
    assert len(fake.started) == 1


def test_a_decision_whose_answer_was_lost_is_sent_again_under_the_same_key(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()[2:]
    fake.mishaps = ["close"]
    assert client(fake).decide("fb-1", {"planHash": "hash-of-failback"})["judgement"] == "recorded"
    keys = [each.headers["Idempotency-Key"] for each in fake.asked]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_no_two_decisions_have_the_same_key(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()[2:]
    client(fake).decide("fb-1", {"planHash": "hash-of-failback"})
    with pytest.raises(TroubleError):
        client(fake).decide("fb-1", {"planHash": "hash-of-failback"})
    assert len({each.headers["Idempotency-Key"] for each in fake.asked}) == 2


def test_an_app_that_is_busy_is_asked_again_when_it_says(fake: Any) -> None:
    fake.mishaps = [web.Response(status=429, headers={"Retry-After": "0"}), 503]
    assert client(fake).runs() == []
    assert len(fake.asked) == 3


def test_an_app_that_stays_busy_is_unreachable(fake: Any) -> None:
    fake.mishaps = [503, 503, 503]
    with pytest.raises(TroubleError) as caught:
        client(fake).runs()
    assert caught.value.exit_code == UNREACHABLE
    assert "503" in caught.value.problem.title


def test_nobody_at_the_address_is_told_in_plain_words() -> None:
    with pytest.raises(TroubleError) as caught:
        Failbacks("http://127.0.0.1:1", pause=0).runs()
    assert caught.value.exit_code == UNREACHABLE
    assert caught.value.problem.title == "http://127.0.0.1:1 does not answer"
    assert "HTTPConnectionPool" not in caught.value.problem.detail


def test_every_fault_of_a_problem_is_kept(fake: Any) -> None:
    faults = [
        {"about": "vault", "what": "missing", "remedy": "give this field", "code": "missing"},
        {"what": "also this"},
    ]
    fake.mishaps = [fake.problem(400, "the request has 2 faults", faults=faults, holder="fb-9")]
    with pytest.raises(TroubleError) as caught:
        client(fake).plan({})
    problem = caught.value.problem
    assert caught.value.exit_code == REFUSED
    assert [(fault.about, fault.what) for fault in problem.faults] == [("vault", "missing"), ("", "also this")]
    assert problem.holder == "fb-9"


@pytest.mark.parametrize(("code", "hint"), [(401, "--token"), (404, "--url")])
def test_an_answer_that_is_no_problem_document_is_told_by_its_status(fake: Any, code: int, hint: str) -> None:
    fake.mishaps = [web.Response(status=code, text="<html>no</html>")]
    with pytest.raises(TroubleError) as caught:
        client(fake).runs()
    assert str(code) in caught.value.problem.title
    assert hint in caught.value.problem.detail


def test_a_page_instead_of_an_answer_is_not_taken_for_one(fake: Any) -> None:
    fake.mishaps = [web.Response(text="<html>sign in</html>")]
    with pytest.raises(TroubleError, match="does not look like a failback app"):
        client(fake).runs()


@pytest.mark.parametrize("url", ["http://app.example", "ftp://127.0.0.1", "http://", "://"])
def test_a_key_goes_over_https_or_to_this_machine_only(url: str) -> None:
    with pytest.raises(TroubleError) as caught:
        Failbacks(url, key="k")
    assert caught.value.exit_code == REFUSED
    with pytest.raises(TroubleError):
        Failbacks(url, token="t")
    assert Failbacks("https://app.example", key="k", token="t").url == "https://app.example"


def test_a_key_does_not_follow_a_redirect(fake: Any) -> None:
    fake.mishaps = [web.Response(status=302, headers={"Location": f"{fake.url}/elsewhere"})]
    with pytest.raises(TroubleError, match="302"):
        client(fake, key="k", token="t").runs()
    assert len(fake.asked) == 1


def test_key_and_person_are_sent_as_headers_and_never_in_an_address(fake: Any) -> None:
    client(fake, key="k-1", person="lee@contoso.com").runs()
    sent = fake.asked[0]
    assert (sent.headers["x-functions-key"], sent.headers["X-Failback-User"]) == ("k-1", "lee@contoso.com")
    assert "k-1" not in sent.path


def test_a_token_and_roles_are_sent_as_headers_and_never_in_an_address(fake: Any) -> None:
    client(fake, token="t-1", roles="viewer").runs()
    sent = fake.asked[0]
    assert (sent.headers["Authorization"], sent.headers["X-Failback-Roles"]) == ("Bearer t-1", "viewer")
    assert "t-1" not in sent.path


def test_an_app_on_this_machine_is_told_who_is_logged_in_and_another_one_is_not(fake: Any) -> None:
    client(fake).runs()
    assert fake.asked[0].headers["X-Failback-User"]
    assert "Authorization" not in fake.asked[0].headers
    assert "X-Failback-User" not in Failbacks("https://app.example")._session.headers


def test_what_is_said_to_this_machine_goes_through_no_proxy(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client(fake).runs() == []


def test_an_odd_run_id_stays_inside_its_place_in_the_address(fake: Any) -> None:
    with pytest.raises(TroubleError):
        client(fake).run("../plan?x=1")
    assert fake.asked[0].path.startswith("/api/failbacks/")

"""The post: one request, bounded, no redirect, and no address in any word about it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
from azure.core.pipeline.transport import RequestsTransport

from gateway.notices.post import Post
from tests.notices.conftest import SECRET
from tests.notices.receivers import Receiver, Reply

Open = Callable[..., Receiver]


def test_a_redirect_is_not_followed(open_receiver: Open) -> None:
    elsewhere = open_receiver()
    receiver = open_receiver(Reply(status=307, headers={"Location": elsewhere.url}))
    posted = Post().send(receiver.url, b"{}", {})
    assert (posted.taken, posted.words, posted.again_after) == (False, "answered 307", None)
    assert (len(receiver.got), len(elsewhere.got)) == (1, 0)


@pytest.mark.parametrize(
    ("reply", "taken", "again"),
    [
        (Reply(status=200), True, None),
        (Reply(status=202), True, None),
        (Reply(status=400), False, None),
        (Reply(status=403), False, None),
        (Reply(status=410), False, None),
        (Reply(status=408), False, 1),
        (Reply(status=500), False, 1),
        (Reply(status=503), False, 1),
        (Reply(status=None), False, 1),
        (Reply(status=429, headers={"Retry-After": "7"}), False, 7),
        (Reply(status=429, headers={"Retry-After": "soon"}), False, 30),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(
    open_receiver: Open, reply: Reply, taken: bool, again: int | None
) -> None:
    posted = Post().send(open_receiver(reply).url, b"{}", {})
    assert posted.taken is taken
    assert posted.again_after == (None if again is None else timedelta(seconds=again))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"invalid_blocks", "answered 400: invalid_blocks"),
        (b'{"error": {"code": "TriggerInputSchemaMismatch"}}', "answered 400: TriggerInputSchemaMismatch"),
        (b'{"error": "no"}', "answered 400"),
        (f'{{"error": {{"code": "https://hook/?sig={SECRET}"}}}}'.encode(), "answered 400"),
        (f"no such hook: /hook?sig={SECRET}".encode(), "answered 400"),
        (b"\xff" * 100_000, "answered 400"),
        (b"", "answered 400"),
    ],
)
def test_of_an_answer_a_word_is_kept_and_nothing_that_may_repeat_the_address(
    open_receiver: Open, body: bytes, words: str
) -> None:
    assert Post().send(open_receiver(Reply(status=400, body=body)).url, b"{}", {}).words == words


def test_no_answer_at_all_is_told_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    posted = Post().send(f"http://localhost:{port}/hook?sig={SECRET}", b"{}", {})
    assert posted.words.startswith("no answer (")
    assert SECRET not in posted.words
    assert SECRET not in caplog.text


def test_a_receiver_that_is_silent_is_not_waited_for_long(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = Post(RequestsTransport(connection_timeout=1, read_timeout=0.05))
        posted = post.send(f"http://localhost:{silent.getsockname()[1]}/", b"{}", {})
    assert (posted.taken, posted.words) == (False, "no answer (ReadTimeout)")


def test_the_address_is_in_no_log_even_where_everything_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
    post = Post()
    assert post.send(f"{receiver.url}/hook?sig={SECRET}", b"{}", {}).taken
    post.close()
    assert receiver.got[0].path.endswith(SECRET)
    assert SECRET not in caplog.text

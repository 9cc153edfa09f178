"""What docs/notices.md shows is what is sent."""

from __future__ import annotations

import json
import re

from domain.settings.notices import NoticeSettings
from tests.notices.samples import PAGE, filled, samples
from tests.notices.shapes import fits_mail, fits_slack, fits_teams

TEXT = PAGE.read_text(encoding="utf-8")


def test_every_payload_on_the_page_is_what_the_code_sends() -> None:
    assert set(re.findall(r"<!-- sample: (\w+) -->", TEXT)) == set(samples())
    assert filled(TEXT) == TEXT, "write them again: python -m tests.notices.samples"


def test_the_payloads_on_the_page_fit_what_the_receivers_document() -> None:
    made = samples()
    fits_teams(json.dumps(made["teams"]).encode())
    fits_slack(json.dumps(made["slack"]).encode())
    fits_mail(made["mail"])


def test_every_setting_of_notices_is_on_the_page() -> None:
    names = [str(each.validation_alias) for each in NoticeSettings.model_fields.values()]
    assert [name for name in names if f"`{name}`" not in TEXT] == []


def test_the_verification_on_the_page_takes_the_sample_and_nothing_else() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), scope)
    made = samples()
    body = json.dumps(made["webhook"], ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(made["headers"]["webhook-timestamp"])
    verify, key = scope["is_genuine"], "whsec_YSBrZXkgdGhhdCBpcyBvbmx5IG9uIHRoaXMgcGFnZS4="
    assert callable(verify)
    assert verify(made["headers"], body, [key], now=stamp + 5) is True
    assert verify(made["headers"], body + b" ", [key], now=stamp + 5) is False
    assert verify(made["headers"], body, [key], now=stamp + 500) is False
    assert verify(made["headers"], body, [key.replace("YSB", "YSC")], now=stamp + 5) is False

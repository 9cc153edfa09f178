"""The generic webhook: CloudEvents 1.0, signed as Standard Webhooks describes.

CloudEvents' JSON format says how the event is written (cloudevents.io, application/cloudevents+json). Standard
Webhooks says how it is signed: HMAC-SHA256 over "id.timestamp.body", once with each key, so that receivers know
one of two while keys are changed; libraries that verify it exist for most languages (standardwebhooks.com).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from domain.notices import Notice
from domain.settings.notices import UnusableError

# Below that a key may be guessed; the recommendation is 24 to 64 bytes.
_SHORTEST: Final = 24
_MOST_KEYS: Final = 2
_PREFIX: Final = "whsec_"


def event(notice: Notice, page: str | None = None) -> dict[str, Any]:
    """Write a notice as a CloudEvent; `id` is the same in every repetition."""
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": f"/api/failbacks/{notice.run}",
        "type": f"failback.{notice.kind.value}",
        "subject": notice.run,
        "time": notice.at.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.to_wire() | ({"page": page} if page else {}),
    }


def signed(document: dict[str, Any], keys: Sequence[bytes], now: datetime) -> tuple[bytes, dict[str, str]]:
    """Give the body of an event, and the headers that prove who wrote it and when."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = str(int(now.timestamp()))
    message = b".".join((document["id"].encode(), stamp.encode(), body))
    signatures = (base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode() for key in keys)
    return body, {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": document["id"],
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def keys_of(secret: SecretStr | None) -> tuple[bytes, ...]:
    """Read the signing keys.

    Raises:
        UnusableError: there is none, there are more than two, or one is no key.
    """
    given = [part.strip() for part in (secret.get_secret_value() if secret else "").split(",") if part.strip()]
    keys = tuple(_key(part) for part in given)
    if not 1 <= len(keys) <= _MOST_KEYS or None in keys:
        raise UnusableError(
            "FAILBACK_WEBHOOK_KEYS must hold one or two keys: whsec_ and base64 of 24 bytes or more"
        )
    return tuple(key for key in keys if key is not None)


def _key(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if text.startswith(_PREFIX) and len(key) >= _SHORTEST else None

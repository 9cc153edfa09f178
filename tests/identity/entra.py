"""A tenant of ours: it signs tokens with a key of its own, and publishes what belongs to it."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TENANT = "22222222-2222-2222-2222-222222222222"
ELSEWHERE = "99999999-9999-9999-9999-999999999999"
AUDIENCE = "api://failback"
SETTINGS = {
    "FAILBACK_TENANT_ID": TENANT,
    "FAILBACK_AUDIENCES": f"{AUDIENCE}, 33333333-3333-3333-3333-333333333333",
}
V1, V2 = f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.com/{TENANT}/v2.0"


class Tenant:
    """Signs tokens, and is where their keys are found; counts how often it is asked for one."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked: list[str] = []

    @property
    def public_pem(self) -> bytes:
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key_set(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key()))
        return {"keys": [{**key, "kid": "key-1", "use": "sig"}]}

    def get_signing_key(self, kid: str) -> jwt.PyJWK:
        self.asked.append(kid)
        found = next((key for key in self.key_set["keys"] if key["kid"] == kid), None)
        if found is None:
            raise jwt.PyJWKClientError("there is no such key")
        return jwt.PyJWK(found, "RS256")

    def token(self, *, kid: str = "key-1", key: Any = None, alg: str = "RS256", **claims: Any) -> str:
        """Sign a person's token, in which some claims are others or, if None, missing."""
        now = int(time.time())
        said = {
            "iss": V2,
            "aud": AUDIENCE,
            "tid": TENANT,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "oid": "0f0f",
            "sub": "s-1",
            "preferred_username": "olive@contoso.com",
            "scp": "user_impersonation",
            "roles": ["Failback.Approver"],
            **claims,
        }
        known = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(known, key if key is not None else self._private, algorithm=alg, headers={"kid": kid})


def raw(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Put a token together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def principal(*claims: tuple[str, str], provider: str = "aad") -> str:
    """Say who is asking as App Service does."""
    document = {"auth_typ": provider, "claims": [{"typ": name, "val": value} for name, value in claims]}
    return base64.b64encode(json.dumps(document).encode()).decode()

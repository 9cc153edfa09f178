"""What azd runs before and after, played with stand-ins for `az` and `azd` that keep a small directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import INFRA

pytestmark = pytest.mark.skipif(
    not (shutil.which("sh") and shutil.which("openssl")), reason="needs sh and openssl"
)

STAND_IN = r"""
import json, os, pathlib, sys
name, args = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
home = pathlib.Path(os.environ["HOME_OF_FAKES"])
with (home / "calls").open("a") as calls:
    calls.write(json.dumps([name, *args]) + "\n")
def option(flag):
    return args[args.index(flag) + 1] if flag in args else ""
def held(what, value=None):
    path = home / what
    if value is not None:
        path.write_text(value)
    return path.read_text() if path.exists() else ""
words = " ".join([name, *(a for a in args if not a.startswith("-"))])
if os.environ.get("BREAKS_AT", "\0") in words:
    sys.exit("broken off")
if name == "azd":
    assert args[:2] == ["env", "set"]; held("env." + args[2], args[3])
elif words.startswith("az ad app create"):
    held("app", option("--display-name")); print("client-1")
elif words.startswith("az ad app show"):
    asked = option("--query")
    known = {"appRoles": "role-1", "Scopes": "scope-1", "displayName": held("app")}
    known["redirectUris"] = held("redirects")
    print(next((value for word, value in known.items() if word in asked), "object-1"))
elif words.startswith("az cloud show"):
    print("https://graph.example/" if "Graph" in option("--query") else "https://login.example/")
elif words.startswith("az account show"):
    print("tenant-1")
elif words.startswith("az ad sp show"):
    if not held("sp." + option("--id")): sys.exit(3)
    print("principal-of-" + option("--id"))
elif words.startswith("az ad sp create"):
    held("sp." + option("--id"), "there"); print("principal-of-" + option("--id"))
elif "/Microsoft.KeyVault/vaults/kv/secrets" in option("--url"):
    assert option("--url").startswith("/subscriptions/sub-1/resourceGroups/rg/providers/")
    if option("--method") == "GET": print("link-keys" if held("key") else "", end="")
    else: held("key", json.loads(pathlib.Path(option("--body")[1:]).read_text())["properties"]["value"])
elif "/sites/func/config/configreferences/appsettings/refresh" in option("--url"):
    assert option("--method") == "POST"; held("read", held("key"))
elif words.startswith("az rest"):
    if option("--method") == "GET": print(held("assignment"), end="")
    if option("--method") == "POST": held("assignment", "assignment-1")
    if option("--method") == "PATCH": held("application", option("--body"))
elif words.startswith("az ad app federated-credential list"):
    print("credential-1" if held("credential") else "", end="")
elif words.startswith("az ad app federated-credential create"):
    held("credential", option("--parameters"))
elif words.startswith("az ad app update"):
    held("redirects", "\n".join(args[args.index("--web-redirect-uris") + 1:]))
else:
    sys.exit("not played: " + words)
"""


class Desk:
    """A desk with stand-ins on its path, and the azd environment that they write."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("az", "azd"):
            command = home / name
            command.write_text(f"#!{sys.executable}\n{STAND_IN}")
            command.chmod(0o755)

    def run(self, hook: str, **settings: str) -> int:
        known = {path.name.removeprefix("env."): path.read_text() for path in self.home.glob("env.*")}
        environment = {
            "PATH": f"{self.home}:{os.environ['PATH']}",
            "HOME_OF_FAKES": str(self.home),
            "AZURE_ENV_NAME": "dr",
            "TMPDIR": str(self.home),
            **known,
            **settings,
        }
        ran = subprocess.run(
            ["sh", str(INFRA / "hooks" / hook)], env=environment, check=False, capture_output=True, text=True
        )
        return ran.returncode

    def calls(self) -> list[list[str]]:
        path = self.home / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def held(self, what: str) -> str:
        path = self.home / what
        return path.read_text() if path.exists() else ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


TIED = {
    "FAILBACK_AUTH_CLIENT_ID": "client-1",
    "FAILBACK_PRINCIPAL_ID": "principal-1",
    "FAILBACK_URL": "https://app.example",
    "FAILBACK_KEY_VAULT": "kv",
    "FAILBACK_APP_NAME": "func",
    "AZURE_RESOURCE_GROUP": "rg",
    "AZURE_SUBSCRIPTION_ID": "sub-1",
}


def test_the_application_is_made_once_without_a_secret(desk: Desk) -> None:
    assert desk.run("sign-in.sh") == 0
    assert desk.held("env.FAILBACK_AUTH_CLIENT_ID") == "client-1"
    assert desk.held("env.FAILBACK_AUTH_APP_OBJECT_ID") == "object-1"
    application: dict[str, Any] = json.loads(desk.held("application"))
    assert application["identifierUris"] == ["api://client-1"]
    assert application["api"]["requestedAccessTokenVersion"] == 2
    assert desk.held("assignment")
    assert not [call for call in desk.calls() if "credential" in call or "--password" in call]
    before = len(desk.calls())
    assert desk.run("sign-in.sh") == 0
    assert len(desk.calls()) == before


@pytest.mark.parametrize("step", ["az rest PATCH", "az ad sp create", "az rest POST", "env set FAILBACK_AUTH_APP"])
def test_a_try_that_broke_off_is_gone_on_with(desk: Desk, step: str) -> None:
    assert desk.run("sign-in.sh", BREAKS_AT=step) != 0
    assert desk.held("env.FAILBACK_AUTH_APP_OBJECT_ID") == ""
    assert desk.run("sign-in.sh") == 0
    assert len([call for call in desk.calls() if call[:4] == ["az", "ad", "app", "create"]]) == 1
    assert desk.held("assignment")
    assert desk.held("env.FAILBACK_AUTH_APP_OBJECT_ID") == "object-1"


def test_an_application_of_somebody_else_is_not_written_over(desk: Desk) -> None:
    (desk.home / "app").write_text("payroll")
    assert desk.run("sign-in.sh", FAILBACK_AUTH_CLIENT_ID="client-9") != 0
    assert desk.held("application") == ""


@pytest.mark.parametrize("choice", ["own", "none"])
def test_who_brings_an_application_or_wants_none_is_left_alone(desk: Desk, choice: str) -> None:
    assert desk.run("sign-in.sh", FAILBACK_SIGN_IN=choice) == 0
    assert desk.calls() == []


def test_the_identity_becomes_the_credential_of_the_application(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED) == 0
    assert json.loads(desk.held("credential")) == {
        "name": "failback-principal-1",
        "issuer": "https://login.example/tenant-1/v2.0",
        "subject": "principal-1",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert desk.held("redirects") == "https://app.example/.auth/login/aad/callback"


def test_people_come_back_to_wherever_they_reach_the_app(desk: Desk) -> None:
    (desk.home / "redirects").write_text("https://other.example/.auth/login/aad/callback\n")
    for _ in range(2):
        assert desk.run("tie.sh", **TIED, FAILBACK_PUBLIC_URL="https://failback.contoso.com/") == 0
        assert [address.split("/")[2] for address in desk.held("redirects").split()] == [
            "app.example",
            "failback.contoso.com",
            "other.example",
        ]


def test_who_may_call_needs_no_consent(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED, FAILBACK_AUTH_CALLERS="cli-1, cli-2") == 0
    assert json.loads(desk.held("application")) == {
        "api": {
            "preAuthorizedApplications": [
                {"appId": "cli-1", "delegatedPermissionIds": ["scope-1"]},
                {"appId": "cli-2", "delegatedPermissionIds": ["scope-1"]},
            ]
        }
    }


def test_the_list_of_an_application_of_ones_own_is_left_alone(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED, FAILBACK_AUTH_CALLERS="cli-1", FAILBACK_SIGN_IN="own") == 0
    assert desk.held("application") == ""
    assert desk.held("credential")


def test_the_link_key_is_made_once_and_never_shown(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED) == 0
    key = desk.held("key")
    assert len(key) >= 64
    assert "\n" not in key
    assert desk.run("tie.sh", **TIED) == 0
    assert desk.held("key") == key
    assert key not in json.dumps(desk.calls())
    assert desk.held("read") == key
    assert list(desk.home.glob("tmp*")) == []


def test_a_deployment_without_sign_in_still_gets_its_key(desk: Desk) -> None:
    assert desk.run("tie.sh", **{**TIED, "FAILBACK_AUTH_CLIENT_ID": ""}) == 0
    assert desk.held("key")
    assert not [call for call in desk.calls() if call[:3] == ["az", "ad", "app"]]


def test_a_pipeline_leaves_entra_alone_and_the_app_gets_its_key(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED, AZURE_PRINCIPAL_TYPE="ServicePrincipal") == 0
    assert not [call for call in desk.calls() if call[:3] == ["az", "ad", "app"]]
    assert desk.held("read") == desk.held("key") != ""


def test_a_key_that_was_asked_for_in_vain_is_not_made_anew(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED) == 0
    key = desk.held("key")
    assert desk.run("tie.sh", **TIED, BREAKS_AT="az rest GET") != 0
    assert desk.held("key") == key


def test_an_app_that_cannot_be_told_does_not_stop_the_deployment(desk: Desk) -> None:
    assert desk.run("tie.sh", **TIED, BREAKS_AT="az rest POST") == 0
    assert desk.held("key")
    assert desk.held("read") == ""


def test_azd_down_is_refused_before_it_deletes_groups_that_are_not_ours(desk: Desk) -> None:
    assert desk.run("down.sh") != 0
    assert desk.calls() == []

"""What Bicep sets on the app is what the app reads; what it can be told besides is left on purpose."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from domain.people import Role
from domain.settings import Settings
from tests.infra.bicep import INFRA, UNKNOWN, Either, file

MAIN = file("main.bicep")
ALIASES = {str(field.validation_alias): name for name, field in Settings.model_fields.items()}
# What a deployment leaves as it is; `extraSettings` may say otherwise.
LEFT = {
    "FAILBACK_ARM_ENDPOINT": "the cloud's own",
    "FAILBACK_LOGS_ENDPOINT": "the cloud's own",
    "FAILBACK_LOOK_EVERY": "the default suits Site Recovery's own pace",
    "FAILBACK_PARALLEL_CALLS": "the default suits one instance",
    "FAILBACK_SCOPE": "the default is the scope that infra/hooks/application.json makes",
    "FAILBACK_ALERT_AUDIENCES": "FAILBACK_AUDIENCES, for it is the same application",
    "FAILBACK_ALERT_ROLE": "the default is the role that infra/hooks/application.json makes",
    "FAILBACK_FRONT_DOOR_ID": "there is no front door in this deployment",
    "FAILBACK_ALIASES": "who is whom, only an organisation knows",
    "FAILBACK_PRICES": "the default estimates are as good as a guess made in advance",
    "FAILBACK_RETENTION": "the default keeps what people look up, and evidence lies elsewhere",
    "FAILBACK_TEST_TIME_TO_LIVE": "the default leaves people two days",
    "WEBSITE_AUTH_ENABLED": "set by App Service",
    "WEBSITE_HOSTNAME": "set by App Service",
    "WEBSITE_SITE_NAME": "set by App Service",
}
# Read by the host, the worker or azure-identity, and not by the app.
HOST = re.compile(
    r"AzureWebJobsStorage__\w+|APPLICATIONINSIGHTS_\w+|AZURE_FUNCTIONS_DURABLE_STRICT_TYPING|PYTHON_\w+"
)


def settings() -> dict[str, Any]:
    """Give every setting of every variable that is handed to the app."""
    found: dict[str, Any] = {}
    for name, each in MAIN.all("var").items():
        if name.endswith("Settings"):
            value = MAIN.value(each.parts[0])
            for part in value.values if isinstance(value, Either) else [value]:
                found |= part if isinstance(part, dict) else {}
    return found


def test_the_app_knows_every_setting_that_bicep_makes() -> None:
    unknown = {name for name in settings() if name not in ALIASES and not HOST.fullmatch(name)}
    assert unknown == {"DURABLE_TASK_SCHEDULER_CONNECTION_STRING"}


def test_every_setting_of_the_app_is_made_or_left_on_purpose() -> None:
    made = set(settings()) & set(ALIASES)
    assert made & set(LEFT) == set()
    assert made | set(LEFT) == set(ALIASES)


def test_every_variable_of_settings_reaches_the_app() -> None:
    app = (MAIN.all("module")["app"].node.text or b"").decode() + MAIN.text.partition("var noticeSettings")[2]
    for name in MAIN.all("var"):
        assert not name.endswith("Settings") or name in app


def test_secrets_are_references_and_nothing_else() -> None:
    secrets = {
        alias
        for alias, name in ALIASES.items()
        if alias in settings() and "Secret" in repr(Settings.model_fields[name].annotation)
    }
    assert secrets >= {"FAILBACK_LINK_KEYS", "FAILBACK_TEAMS_WEBHOOK", "FAILBACK_WEBHOOK_KEYS"}
    for name in secrets:
        assert re.search(rf"{name}: '\$\{{secretPrefix\}}[a-z-]+\)'", MAIN.text), name
    assert "@Microsoft.KeyVault(VaultName=" in MAIN.text


def test_no_setting_that_flex_consumption_refuses_is_made() -> None:
    refused = {
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "WEBSITE_RUN_FROM_PACKAGE",
        "AzureWebJobsStorage",
    }
    assert refused & set(settings()) == set()


def test_what_is_written_out_is_accepted_by_the_app() -> None:
    written = {name: value for name, value in settings().items() if isinstance(value, str)}
    assert written["FAILBACK_IDENTITY"] == "app-service"
    for alert_auth in ("functionKey", "entra"):
        assert Settings.from_environment({**written, "FAILBACK_ALERT_AUTH": alert_auth})
    assert settings()["FAILBACK_ALERT_AUTH"] == Either(("functionKey", "entra"))
    assert settings()["FAILBACK_TENANT_ID"] is UNKNOWN


def test_strict_typing_is_on() -> None:
    assert settings()["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] == "1"


APPLICATION = json.loads((INFRA / "hooks" / "application.json").read_text())


def test_the_application_has_the_roles_and_the_scope_that_the_app_asks_for() -> None:
    defaults = Settings()
    roles = {role["value"]: role for role in APPLICATION["appRoles"]}
    assert set(roles) == {*Role, defaults.alert_role}
    assert roles[defaults.alert_role]["allowedMemberTypes"] == ["Application"]
    assert all(roles[role]["allowedMemberTypes"] == ["User"] for role in Role)
    assert [scope["value"] for scope in APPLICATION["api"]["oauth2PermissionScopes"]] == [defaults.scope]


def test_tokens_carry_the_groups_that_gates_and_sign_in_ask_for() -> None:
    """Without it Entra puts none into a token: nobody would be a member, whoever sits in which group."""
    assert APPLICATION["groupMembershipClaims"] == "SecurityGroup"


def test_ids_in_the_application_are_its_own() -> None:
    ids = [each["id"] for each in (*APPLICATION["appRoles"], *APPLICATION["api"]["oauth2PermissionScopes"])]
    assert len(ids) == len(set(ids))


def test_a_key_vault_reference_that_was_not_read_is_no_key() -> None:
    reference = "@Microsoft.KeyVault(VaultName=kv-fb-abc;SecretName=link-keys)"
    assert Settings.from_environment({"FAILBACK_LINK_KEYS": reference}).link_keys == ()


@pytest.mark.parametrize("name", sorted(LEFT))
def test_what_is_left_has_a_reason(name: str) -> None:
    assert name in ALIASES
    assert LEFT[name]

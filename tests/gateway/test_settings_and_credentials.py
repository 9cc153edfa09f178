from __future__ import annotations

from datetime import timedelta

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from domain.settings import Cloud, Settings, SettingsError
from gateway.credentials import make_credential


def test_nothing_set_means_azures_public_cloud_every_thirty_seconds() -> None:
    settings = Settings.from_environment({})
    assert settings.arm == "https://management.azure.com"
    assert settings.arm_scope == "https://management.azure.com/.default"
    assert settings.logs == settings.logs_audience == "https://api.loganalytics.io"
    assert settings.pace.look_every == timedelta(seconds=30)


@pytest.mark.parametrize("cloud", list(Cloud))
def test_a_cloud_brings_its_own_endpoints_and_audiences(cloud: Cloud) -> None:
    settings = Settings.from_environment({"AZURE_CLOUD": str(cloud)})
    ends = {Cloud.PUBLIC: (".com", ".io"), Cloud.US_GOVERNMENT: (".net", ".us"), Cloud.CHINA: (".cn", ".cn")}
    assert settings.arm.endswith(ends[cloud][0])
    assert settings.logs.endswith(ends[cloud][1])
    assert settings.arm_scope.endswith("/.default")


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:7071/", "http://localhost:1", "http://[::1]:9/", "https://arm.contoso.test/"],
)
def test_another_endpoint_is_taken_over_tls_or_on_this_machine(endpoint: str) -> None:
    settings = Settings.from_environment({"FAILBACK_ARM_ENDPOINT": endpoint})
    assert settings.arm == endpoint.rstrip("/")
    assert settings.arm_scope == "https://management.azure.com/.default"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://management.azure.com",
        "http://10.0.0.4",
        "http://127.0.0.1.evil.test",
        "http://localhost.evil.test",
        "ftp://127.0.0.1",
        "management.azure.com",
        "https://user:secret@arm.contoso.test",
        "https://arm.contoso.test/?sig=1",
    ],
)
def test_an_endpoint_that_must_not_see_a_token_is_refused(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_LOGS_ENDPOINT"):
        Settings.from_environment({"FAILBACK_LOGS_ENDPOINT": endpoint})


def test_all_faults_are_told_at_once_and_no_value_is_repeated() -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_environment(
            {
                "FAILBACK_ARM_ENDPOINT": "http://user:hunter2@evil.test",
                "FAILBACK_LOOK_EVERY": "often",
                "AZURE_CLOUD": "Moon",
                "FAILBACK_PARALLEL_CALLS": "0",
            }
        )
    text = str(told.value)
    for name in ("FAILBACK_ARM_ENDPOINT", "FAILBACK_LOOK_EVERY", "AZURE_CLOUD", "FAILBACK_PARALLEL_CALLS"):
        assert name in text
    assert "hunter2" not in text


@pytest.mark.parametrize(("text", "seconds"), [("PT45S", 45), ("PT1M", 60), ("45", 45), ("0.5", 0.5)])
def test_a_duration_is_iso_8601_or_seconds(text: str, seconds: float) -> None:
    settings = Settings.from_environment({"FAILBACK_LOOK_EVERY": text})
    assert settings.look_every == timedelta(seconds=seconds)


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_environment({"FAILBACK_ARM_ENDPOINT": " ", "AZURE_CLIENT_ID": ""}).client_id is None


def test_every_setting_says_what_it_is_for() -> None:
    assert all(each.description and each.validation_alias for each in Settings.model_fields.values())


def test_a_managed_identity_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "simulator")
    given = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi/token"}
    assert isinstance(make_credential(Settings(), given), ManagedIdentityCredential)
    assert isinstance(make_credential(Settings(), {}), DefaultAzureCredential)

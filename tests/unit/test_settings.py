"""The environment is read at once, and tokens are sent nowhere unsafe."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.settings import Cloud, Settings, SettingsError, is_plain_http


def read(**environment: str) -> Settings:
    return Settings.from_environment(environment)


def test_where_nothing_is_set_azures_public_cloud_is_meant() -> None:
    settings = read(FAILBACK_ARM_ENDPOINT="  ", PATH="/bin")
    assert (settings.arm, settings.logs) == ("https://management.azure.com", "https://api.loganalytics.io")
    assert settings.pace.look_every == timedelta(seconds=30)


@pytest.mark.parametrize("cloud", Cloud)
def test_a_cloud_brings_its_own_endpoints_and_audiences(cloud: Cloud) -> None:
    settings = read(AZURE_CLOUD=cloud.value)
    assert settings.arm_scope.startswith("https://management.")
    assert settings.logs_audience == settings.logs
    assert settings.authority.startswith("login.")


def test_another_endpoint_changes_where_is_called_but_not_whose_token() -> None:
    settings = read(FAILBACK_ARM_ENDPOINT="http://127.0.0.1:7071/", FAILBACK_LOGS_ENDPOINT="http://localhost/logs")
    assert (settings.arm, settings.logs) == ("http://127.0.0.1:7071", "http://localhost/logs")
    assert settings.arm_scope == "https://management.azure.com/.default"
    assert is_plain_http(settings.arm)
    assert not is_plain_http(read().arm)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://management.azure.com",
        "http://10.0.0.4",
        "http://localhost.example.com",
        "ftp://localhost",
        "https://user:secret@management.azure.com",
        "https://management.azure.com?x=1",
        "https://management.azure.com#x",
        "management.azure.com",
        "https://",
        "http://[",
    ],
)
def test_a_token_is_sent_only_over_tls_or_to_this_machine(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_ARM_ENDPOINT"):
        read(FAILBACK_ARM_ENDPOINT=endpoint)


@pytest.mark.parametrize(("value", "seconds"), [("5", 5), ("0.5", 0.5), ("PT2M", 120), ("3600", 3_600)])
def test_a_rhythm_is_a_duration_or_a_number_of_seconds(value: str, seconds: float) -> None:
    assert read(FAILBACK_LOOK_EVERY=value).look_every == timedelta(seconds=seconds)


def test_a_setting_may_be_given_as_a_value_too() -> None:
    assert Settings(look_every=timedelta(seconds=1), arm_endpoint=None).look_every == timedelta(seconds=1)


def test_every_setting_that_cannot_be_used_is_named_without_its_value() -> None:
    with pytest.raises(SettingsError) as refused:
        read(FAILBACK_LOOK_EVERY="hunter2", FAILBACK_PARALLEL_CALLS="99", AZURE_CLOUD="Moon")
    told = str(refused.value)
    assert all(name in told for name in ("FAILBACK_LOOK_EVERY", "FAILBACK_PARALLEL_CALLS", "AZURE_CLOUD"))
    assert "hunter2" not in told


def test_a_setting_may_also_be_given_as_what_its_text_would_mean() -> None:
    rules = {"FAILBACK_LINK_KEYS": ["a" * 40], "FAILBACK_VALIDATION": {"probes": []}}
    settings = Settings.model_validate(rules)
    assert [key.get_secret_value() for key in settings.link_keys] == ["a" * 40]
    assert settings.validation == read(FAILBACK_VALIDATION='{"probes": []}').validation

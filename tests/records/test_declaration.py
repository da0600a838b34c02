"""What a configuration may say about records, and what it is told when it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cookiegate.config import Config
from cookiegate.errors import ConfigError
from cookiegate.period import Period

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = '[records]\ndirectory = "var/records"\nkey_directory = "var/keys"\n'
SITE = '[[sites]]\nname = "Shop"\nunknown = "allow"\n'
VISITS = '[sites.visits]\nbasis = "security"\n'


def load(tmp_path: Path, text: str) -> Config:
    (tmp_path / "cookiegate.toml").write_text(f'secret_keys = ["{"k" * 32}"]\n{text}')
    return Config.load(tmp_path / "cookiegate.toml")


def test_relative_places_begin_at_the_configuration_file(tmp_path: Path) -> None:
    config = load(tmp_path, RECORDS + 'vault_key_file = "/run/secrets/key"\n' + SITE + VISITS)
    assert config.records is not None
    assert config.records.directory == tmp_path / "var/records"
    assert config.records.key_directory == tmp_path / "var/keys"
    assert str(config.records.vault_key_file) == "/run/secrets/key"
    assert (config.records.durability, config.records.when_full) == ("process", "serve")
    visits = config.sites[0].visits
    assert visits is not None
    assert (visits.retention, visits.ip, visits.rule) == (Period(months=3), "full", "security")


def test_without_records_none_are_kept(tmp_path: Path) -> None:
    assert load(tmp_path, SITE).records is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SITE + VISITS, "nothing says where"),
        (RECORDS + SITE, "no site keeps any"),
        (RECORDS + SITE + '[sites.visits]\nip = "keyed"\n', "visits.basis: this key is required"),
        (RECORDS + SITE + '[sites.visits]\nbasis = "legal-duty"\n', "names its law"),
        (RECORDS + SITE + VISITS + 'statute = "x"\n', "Leave one out"),
        (RECORDS + SITE + VISITS + 'retention = "P90D"\n', "retention = 'P90D': write calendar months"),
        (RECORDS + SITE + VISITS + 'retention = "P"\n', "at least a month"),
        (RECORDS + SITE + VISITS + 'retention = "P101Y"\n', "at most a hundred years"),
        (RECORDS + SITE + VISITS + 'ip = "fulll"\n', "Did you mean 'full'?"),
        (RECORDS.replace("var/keys", "var/records/keys") + SITE + VISITS, "Put them side by side"),
        (RECORDS.replace("var/records", ".") + SITE + VISITS, "Put them side by side"),
        (RECORDS + SITE + VISITS + SITE + 'hosts = ["b.example"]\n' + VISITS, "Rename one"),
        ('[records]\ndirectory = "x"\n' + SITE + VISITS, "key_directory: this key is required"),
        (RECORDS + 'store = "mysql"\n' + SITE + VISITS, "write 'files' for one machine"),
        (RECORDS + 'store = "postgresql//me:geheim@db/visits"\n' + SITE + VISITS, "'postgresql//…@db/visits'"),
    ],
)
def test_a_mistake_is_named_with_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        load(tmp_path, text)
    assert said in str(told.value)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("text", ["P3M", "P1Y", "P1Y6M", "P2Y"])
def test_a_period_is_written_as_it_is_read(text: str) -> None:
    assert str(Period.model_validate(text)) == text


def test_years_are_twelve_months() -> None:
    assert Period.model_validate("P1Y6M").in_months == Period(months=18).in_months == 18

"""The store: its form, its troubles turned into refusals, and the people, signers and wallets in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, select, text, update

from online.audit import audit_lines, verify
from online.store import journal, schema, tables
from online.store.database import Store, open_store
from online.store.people import add_person, people
from online.store.signers import pair_signer, signers
from online.store.wallets import add_addresses, import_card, keys, owner, wallets
from shared.chains.xrpl import XRPL
from shared.envelope import WalletCard, seal_card
from shared.errors import (
    BadField,
    BadSignature,
    CardConflict,
    NameTaken,
    Refusal,
    StationLocked,
    StoreForm,
    StoreNewer,
    UnknownSigner,
)
from shared.hdkeys import derive
from tests.online_world import ALICE, BOB, NETWORK, NOW, STATION, PaperSigner, make_desk
from tests.store_place import store_url


def test_the_migrations_lead_to_the_tables_of_the_program(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path, empty=True))
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    add_person(open_store(store_url(tmp_path), STATION), "alice", ALICE.person.key, NOW)
    assert people(open_store(store_url(tmp_path))) == (ALICE.person,)


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with store.transaction() as tx:
        tx.sql.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreNewer):
        open_store(store_url(tmp_path))


@pytest.mark.parametrize(("change", "said"), [
    ("DROP TABLE differences", "misses differences.asset_code"),
    ("ALTER TABLE customers DROP COLUMN frozen", "misses customers.frozen"),
    ("ALTER TABLE customers ADD COLUMN name INTEGER", "has customers.name"),
])  # fmt: skip
def test_a_store_of_a_form_between_two_releases_is_refused(tmp_path: Path, change: str, said: str) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with store.transaction() as tx:
        tx.sql.execute(text(change))
    with pytest.raises(StoreForm, match=said):
        open_store(store_url(tmp_path))


def test_tables_of_others_beside_ours_are_none_of_our_business(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with store.transaction() as tx:
        tx.sql.execute(text("CREATE TABLE weather (day INTEGER)"))
    open_store(store_url(tmp_path)).close()


def test_nothing_is_written_without_the_station_key(tmp_path: Path) -> None:
    with pytest.raises(StationLocked):
        add_person(open_store(store_url(tmp_path)), "alice", ALICE.person.key, NOW)


def test_a_name_or_key_never_changes_its_meaning(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    add_person(store, "alice", ALICE.person.key, NOW)
    add_person(store, "alice", ALICE.person.key, NOW)
    pair_signer(store, ALICE.person.key, "vault", NOW)
    pair_signer(store, ALICE.person.key, "vault", NOW)
    for name, key in (("alice", BOB.person.key), ("bob", ALICE.person.key)):
        with pytest.raises(NameTaken):
            add_person(store, name, key, NOW)
    for name, key in (("vault", BOB.person.key), ("other", ALICE.person.key)):
        with pytest.raises(NameTaken):
            pair_signer(store, key, name, NOW)
    assert [one.name for one in signers(store)] == ["vault"]


@pytest.mark.parametrize(("name", "key"), [("A b", bytes(32)), ("", bytes(32)), ("bob", bytes(31))])
def test_a_bad_name_or_key_is_refused(tmp_path: Path, name: str, key: bytes) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with pytest.raises(BadField):
        add_person(store, name, key, NOW)
    with pytest.raises(BadField):
        pair_signer(store, key, name, NOW)


def test_a_card_of_a_signer_that_was_never_paired_is_refused(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with pytest.raises(UnknownSigner):
        import_card(store, PaperSigner().card("cold", 0), NOW)
    assert wallets(store) == ()


def test_a_card_with_an_extended_key_gives_the_addresses_of_its_children(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    found = add_addresses(desk.store, "cold", 3, NOW)
    for key in found:
        private = derive(desk.signer.seed, "secp256k1", key.path)
        assert key.public_key == private.public_key
        assert key.address == XRPL.address(private.public_key, "secp256k1", NETWORK)
    assert [key.index for key in found] == [0, 1, 2]
    assert owner(desk.store, NETWORK, found[2].address) == found[2]


def test_the_same_card_again_changes_nothing(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    before = keys(desk.store, "cold")
    import_card(desk.store, desk.signer.card("cold", 0), NOW, addresses=1)
    assert keys(desk.store, "cold") == before


@pytest.mark.parametrize("other", [("cold", 5, "cold"), ("cold", 0, "hot"), ("another", 0, "cold")])
def test_a_card_that_changes_a_wallet_or_takes_its_addresses_is_refused(
    tmp_path: Path, other: tuple[str, int, str]
) -> None:
    desk = make_desk(tmp_path)
    with pytest.raises(CardConflict):
        import_card(desk.store, desk.signer.card(*other), NOW)


def test_a_card_of_a_known_wallet_by_another_signer_is_refused(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    other = PaperSigner(2)
    pair_signer(desk.store, other.station, "second", NOW)
    with pytest.raises(CardConflict):
        import_card(desk.store, other.card("cold", 0), NOW)


def _numbered(signer: PaperSigner, count: int, first: int = 0) -> bytes:
    paths = [XRPL.key_path(NETWORK, "ed25519", 7, index) for index in range(first, first + count)]
    public = tuple(derive(signer.seed, "ed25519", path).public_key for path in paths)
    return seal_card(
        WalletCard(signer.station, "ed", NETWORK, "warm", "ed25519", 7, b"", public), signer.sign
    )


def test_numbered_keys_are_extended_by_later_cards_and_never_changed(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    import_card(desk.store, _numbered(desk.signer, 2), NOW)
    import_card(desk.store, _numbered(desk.signer, 4), NOW)
    assert [key.index for key in keys(desk.store, "ed")] == [0, 1, 2, 3]
    for card in (_numbered(desk.signer, 3), _numbered(desk.signer, 4, first=1)):
        with pytest.raises(CardConflict):
            import_card(desk.store, card, NOW)
    with pytest.raises(CardConflict):
        add_addresses(desk.store, "ed", 9, NOW)


def test_a_clock_that_was_set_back_does_not_stop_the_journal(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    add_person(store, "alice", ALICE.person.key, NOW)
    add_person(store, "bob", BOB.person.key, NOW - 3600)
    assert verify(store).ok


@pytest.mark.parametrize("number", [0, 3, 6])
def test_an_altered_line_of_the_journal_is_found(tmp_path: Path, number: int) -> None:
    desk = make_desk(tmp_path)
    line = audit_lines(desk.store).splitlines(keepends=True)[number]
    swapped = line[:50] + (b"A" if line[50:51] != b"A" else b"B") + line[51:]
    with desk.store.engine.begin() as connection:
        connection.execute(update(tables.audit).where(tables.audit.c.n == number).values(line=swapped))
    assert not verify(desk.store).ok


def test_a_journal_that_was_cut_off_is_found(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    with desk.store.engine.begin() as connection:
        last = journal.tip(connection).size - 1
        connection.execute(tables.audit.delete().where(tables.audit.c.n == last))
    assert "cut off" in verify(desk.store).problems[0]


def test_a_state_that_was_changed_beside_the_journal_is_found(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance()
    assert verify(desk.store).ok
    with desk.store.engine.begin() as connection:
        connection.execute(update(tables.jobs).values(state="built"))
    assert "jobs 1: it is built" in verify(desk.store).problems[0]


def test_a_refusal_within_a_transaction_takes_everything_back(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path), STATION)
    with pytest.raises(BadSignature):
        _write_and_refuse(store)
    assert audit_lines(store) == b""
    with pytest.raises(Refusal):
        pair_signer(store, b"", "vault", NOW)


def _write_and_refuse(store: Store) -> None:
    with store.transaction() as tx:
        journal.append(tx, "person", {}, NOW)
        raise BadSignature("no")


def test_places_of_before_stand_in_the_order_in_which_they_were_given_out(tmp_path: Path) -> None:
    """Tags that people picked far above the others move none that follow; an address has its key's number."""
    engine = create_engine(f"sqlite:///{tmp_path / 'before.db'}")
    rows = [("cold", "tag", tag, f"r tag {tag}") for tag in (1, 2, 789, 2**32 - 1)] + [("pool", "address", None, "a7")]
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO keys VALUES ('pool', 7, 'm', x'', 'n', 'a7')")
        for wallet, custom, tag, place in rows:
            named = {"wallet": wallet, "custom": custom, "tag": tag, "place": place, "address": place.split()[0]}
            row = "INSERT INTO places VALUES ('n', :place, 'dave', :custom, :wallet, :address, :tag, NULL, 1)"
            connection.execute(text(row), named)
        schema.upgrade(connection)
        query = select(tables.places.c.place, tables.places.c.number).order_by(tables.places.c.created)
        numbers = {row.place: row.number for row in connection.execute(query)}
    engine.dispose()
    assert {place: number for place, number in numbers.items() if number} == {"r tag 1": 1, "r tag 2": 2, "a7": 7}

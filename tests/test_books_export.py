"""The books as CSV and as beancount text: nothing is lost, no two names become one, and every transaction balances.

Beancount's own package is under the GPL and brings four others, and adds up with 28 digits: the text is held against a
strict reader of its grammar instead (the lexer's rules for accounts, commodities, numbers, texts and directives), and
against beancount itself where somebody has installed it.
"""

from __future__ import annotations

import csv
import decimal
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.ledger.accounts import Kind
from online.ledger.beancount import ROOTS, account_name, beancount_text, commodity_name
from online.ledger.books import BookEntry, balance_sheet
from online.ledger.csv_text import JOURNAL_COLUMNS, STATEMENT_COLUMNS, journal_csv, plain, statement_csv
from online.ledger.statements import Filter, customer_statement, journal
from online.store.assets import add_asset
from shared.money import MOST_UNITS, Asset, parse_amount
from tests.online_world import NETWORK, NOW, XRP, Desk, make_desk, xrp

# --- a strict reader of the part of beancount's grammar that is written here ------------------------------

ACCOUNT = re.compile(r"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9\-]*)+", re.ASCII)
COMMODITY = re.compile(r"[A-Z](?:[A-Z0-9'._\-]*[A-Z0-9])?", re.ASCII)
OPEN = re.compile(r"(\d{4}-\d\d-\d\d) open (\S+)", re.ASCII)
HEAD = re.compile(r'(\d{4}-\d\d-\d\d) \* "((?:[^"\\]|\\["\\])*)"', re.ASCII)
META = re.compile(r"  entry: (\d+)", re.ASCII)
POSTING = re.compile(r"  (\S+)  (-?\d+(?:\.\d+)?) (\S+)", re.ASCII)


@dataclass
class Ledger:
    """What a text says: when each account was opened, the entries in order, and each account's balance in digits."""

    opened: dict[str, str] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)
    balances: Counter[tuple[str, str]] = field(default_factory=Counter)


SCALE = 24
"""All amounts are compared as whole numbers of the 24th decimal, the finest there is."""


def read_beancount(text: str) -> Ledger:
    """Read a text strictly: every line is known, every account open in time, every transaction adds up exactly."""
    found, date, sums, count = Ledger(), "", Counter[str](), 0
    for line in [*text.splitlines(), ""]:
        if line.startswith(";") or line == 'option "title" "Lockgate"':
            assert date == ""
        elif match := OPEN.fullmatch(line):
            assert date == ""
            assert ACCOUNT.fullmatch(match[2])
            assert match[2] not in found.opened
            found.opened[match[2]] = match[1]
        elif match := HEAD.fullmatch(line):
            assert date == "", "a blank line ends a transaction"
            date, sums, count = match[1], Counter(), 0
        elif match := META.fullmatch(line):
            assert date
            assert not count
            found.entries.append(int(match[1]))
        elif match := POSTING.fullmatch(line):
            account, number, commodity = match.groups()
            assert ACCOUNT.fullmatch(account), line
            assert COMMODITY.fullmatch(commodity), line
            assert found.opened[account] <= date
            sums[commodity] += digits(number)
            found.balances[account, commodity] += digits(number)
            count += 1
        else:
            assert line == "", f"no line of beancount: {line!r}"
            assert not date or count >= 2, "a transaction has two lines or more"
            assert not any(sums.values()), f"a transaction does not add up: {sums}"
            date, sums = "", Counter()
    return found


def digits(number: str) -> int:
    sign, bare = (-1, number[1:]) if number.startswith("-") else (1, number)
    return sign * parse_amount(bare, Asset("x:y", "Z", SCALE)).units


# --- beancount ----------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose books hold an opening, trades, a settled rebalance and one on its way."""
    found = make_desk(tmp_path)
    for name in ("dave", "Dave", "d-ave_x@example"):
        register(found.store, name, NOW)
        trade(found.store, f'"{name}" \\', [Leg(HOUSE, name, xrp(100))], NOW)
    found.rebalance(500)
    found.answered()
    found.tick()
    found.world.close()
    found.tick()
    found.rebalance(300, key="r2")
    found.build()
    return found


def test_beancounts_balances_are_the_posted_ones(desk: Desk) -> None:
    ledger = read_beancount(beancount_text(journal(desk.store, Filter())))
    expected = {
        (account_name(one.account), commodity_name(one.asset)): one.posted * 10 ** (SCALE - one.asset.decimals)
        for one in balance_sheet(desk.store)
        if one.posted
    }
    assert {key: units for key, units in ledger.balances.items() if units} == expected
    posted = [one.id for one in journal(desk.store, Filter(status="posted"))]
    assert ledger.entries == posted
    assert len(posted) < len(journal(desk.store, Filter()))  # what is pending or voided was left out


def test_beancount_itself_takes_the_text_and_adds_up_the_same(desk: Desk) -> None:
    loader = pytest.importorskip("beancount.loader", reason="beancount is not installed, and is no dependency")
    near = Asset("near:local", "NEAR", 24)
    huge = [("wallet:n", near, MOST_UNITS), ("own:near:local", near, -MOST_UNITS)]
    text = beancount_text([*journal(desk.store, Filter()), BookEntry(10**6, NOW, "huge", "posted", None, tuple(huge))])
    with decimal.localcontext(prec=70):  # as the first lines of the text say
        directives, errors, _ = loader.load_string(text)
        balances: Counter[tuple[str, str]] = Counter()
        for one in directives:
            for each in getattr(one, "postings", ()):
                balances[each.account, each.units.currency] += int(each.units.number.scaleb(SCALE))
    assert errors == []
    assert balances == read_beancount(text).balances


def test_an_export_of_some_entries_still_balances(desk: Desk) -> None:
    ledger = read_beancount(beancount_text(journal(desk.store, Filter(account="customer:Dave"))))
    assert len(ledger.entries) == 1


def test_books_without_entries_are_a_text_of_beancount_too() -> None:
    assert read_beancount(beancount_text(())) == Ledger()


def test_numbers_keep_all_their_digits() -> None:
    near = Asset("near:mainnet", "NEAR", 24)
    lines = (("wallet:hot", near, MOST_UNITS), ("own:near:mainnet", near, -MOST_UNITS))
    ledger = read_beancount(beancount_text([BookEntry(1, NOW, "huge", "posted", None, lines)]))
    assert ledger.balances["Assets:Wallet-hot", "NEAR.MAINNET.NEAR"] == MOST_UNITS


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("wallet:cold", "Assets:Wallet-cold"), ("customer:dave", "Liabilities:Customer-dave"),
        ("customer:a.b@c", "Liabilities:Customer-a-2eb-40c"), ("customer:a-b", "Liabilities:Customer-a-2db"),
        ("fees:xrpl:mainnet", "Expenses:Fees-xrpl-3amainnet"), ("own:near:testnet", "Equity:Own-near-3atestnet"),
    ],
)  # fmt: skip
def test_accounts_stand_under_beancounts_roots(ours: str, theirs: str) -> None:
    assert account_name(ours) == theirs


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        (XRP, "XRPL.LOCAL.XRP"), (Asset("near:mainnet", "usdt.tether-token.near", 6),
                                  "NEAR.MAINNET.'USDT.TETHER-TOKEN.NEAR"),
        (Asset("bitcoin:mainnet", "A95428956661682177", 8), "BITCOIN.MAINNET.A95428956661682177"),
        (Asset("bitcoin:mainnet", "PEPE.x!", 8), "BITCOIN.MAINNET.PEPE.'X_21"),
        (Asset("near:local", "a.", 0), "NEAR.LOCAL.'A_2E"),
    ],
)  # fmt: skip
def test_assets_are_named_with_their_network(asset: Asset, name: str) -> None:
    assert commodity_name(asset) == name


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
ACCOUNTS = st.tuples(st.sampled_from([kind.value for kind in Kind]), NAMES).map(":".join)
NETWORKS = st.tuples(st.from_regex(r"[a-z]{1,5}", fullmatch=True),
                     st.from_regex(r"[a-z0-9\-]{1,8}", fullmatch=True)).map(":".join)  # fmt: skip
CODES = st.one_of(NAMES, st.text("aA.-_'2", min_size=1, max_size=6))


@given(ACCOUNTS, ACCOUNTS)
def test_no_two_accounts_have_one_name(one: str, other: str) -> None:
    assert (account_name(one) == account_name(other)) == (one == other)
    assert ACCOUNT.fullmatch(account_name(one))


@given(NETWORKS, CODES, NETWORKS, CODES)
def test_no_two_assets_have_one_name(network: str, code: str, network_2: str, code_2: str) -> None:
    one, other = Asset(network, code, 0), Asset(network_2, code_2, 0)
    assert (commodity_name(one) == commodity_name(other)) == (one == other)
    assert COMMODITY.fullmatch(commodity_name(one))


def test_every_kind_of_account_has_a_root_of_its_own() -> None:
    assert set(ROOTS) == set(Kind)
    assert len(set(ROOTS.values())) == len(Kind)


@pytest.mark.parametrize(
    "text",
    [
        '2026-01-01 * "a"\n  Assets:Wallet-a  1 XRP\n',
        '2026-01-01 open Assets:A\n2026-01-02 * "a"\n  Assets:A  1 XRP\n  Assets:A  -2 XRP\n',
        '2026-01-02 open Assets:A\n2026-01-01 * "a"\n  Assets:A  1 XRP\n  Assets:A  -1 XRP\n',
        "2026-01-01 open assets:A\n", "2026-01-01 open Assets:a\n", "2026-01-01 open Assets\n", "; x\nnonsense\n",
        '2026-01-01 open Assets:A\n2026-01-02 * "a"\n  Assets:A  1 Xrp\n  Assets:A  -1 Xrp\n',
        '2026-01-01 open Assets:A\n2026-01-02 * "a"b"\n  Assets:A  1 X\n  Assets:A  -1 X\n',
    ],
)  # fmt: skip
def test_the_reader_of_this_test_refuses_what_beancount_refuses(text: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        read_beancount(text)


# --- CSV ----------------------------------------------------------------------------------------------


def test_the_journals_csv_holds_every_line_with_its_units(desk: Desk) -> None:
    entries = journal(desk.store, Filter())
    head, *rows = csv.reader(io.StringIO(journal_csv(entries), newline=""))
    assert tuple(head) == JOURNAL_COLUMNS
    assert [(int(row[0]), row[5], int(row[8])) for row in rows] == [
        (one.id, account, units) for one in entries for account, _, units in one.lines
    ]
    assert {row[1] for row in rows} == {"2023-11-14T22:13:20Z"}
    assert all(digits(row[9]) == int(row[8]) * 10 ** (SCALE - 6) for row in rows)


def test_a_statements_csv_runs_from_opening_to_closing(desk: Desk) -> None:
    head, *rows = csv.reader(io.StringIO(statement_csv(customer_statement(desk.store, "Dave")), newline=""))
    assert tuple(head) == STATEMENT_COLUMNS
    assert [(row[5][:6], row[6], row[8], row[9]) for row in rows] == [
        ("openin", "", "0", "0"), ("trade ", "100000000", "100000000", "100"), ("closin", "", "100000000", "100"),
    ]  # fmt: skip


@pytest.mark.parametrize("memo", ["=cmd()", "+1+cmd", "-1+cmd", "@sum", "\x1b[2J", 'a"b,c', "two\nlines"])
def test_no_text_in_a_csv_is_a_formula_or_moves_the_screen(memo: str) -> None:
    text = journal_csv([BookEntry(1, NOW, memo, "posted", None, (("wallet:hot", XRP, -1),))])
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert row[4][0] not in "=+-@"
    assert row[4].isprintable()
    assert row[4].isascii()
    assert row[8:] == ["-1", "-0.000001"]


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(0, 6, "0"), (-1, 6, "-0.000001"), (80_000_000_000, 6, "80000"), (1_250_000, 6, "1.25"), (7, 0, "7"),
     (-7, 0, "-7"), (10**24 + 1, 24, "1.000000000000000000000001")],
)  # fmt: skip
def test_coins_are_written_plainly(units: int, decimals: int, text: str) -> None:
    assert plain(units, decimals) == text


def test_an_asset_beside_the_native_one_is_exported_by_its_own_name(desk: Desk) -> None:
    token = add_asset(desk.store, NETWORK, "usd.x", 2, NOW)
    lines = (("wallet:hot", token, 150), (f"own:{NETWORK}", token, -150))
    ledger = read_beancount(beancount_text([BookEntry(1, NOW, "m", "posted", None, lines)]))
    assert ledger.balances["Assets:Wallet-hot", "XRPL.LOCAL.'USD.X"] == 150 * 10**22

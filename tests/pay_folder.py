"""An Amazon Pay account written to disk as the files a seller has, and one day of it read back in a few plain tuples."""

# ruff: noqa: SIM905  (report columns read better as one text)

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib import publish
from recon_lib.audits import AUDITS
from recon_lib.books import open_account
from recon_lib.journal import Entered
from recon_lib.outputs import MATCHES, OPEN_ITEMS, write_day
from recon_lib.reconcile import Day, reconcile

HEAD = (
    "TransactionPostedDate SettlementId AmazonTransactionId SellerReferenceId TransactionType AmazonOrderReferenceId SellerOrderId "
    "StoreName CurrencyCode TransactionDescription TransactionAmount TransactionPercentageFee TransactionFixedFee "
    "TotalTransactionFee NetTransactionAmount"
).split()
FEES = ("{currency: USD, from: 2020-01-01, percentage: 2.9, fixed: 0.30, refund_percentage_returned: false, "
        "refund_fixed_returned: false, dispute: 20.00}",)  # fmt: skip
CASH = tuple(audit for audit in AUDITS if any(name.startswith(("deposit", "settlement_")) for name in audit.names))
NBSP = "\u00a0"
PAYOUT = "SellerPayments_DateRangeReport_transfer_accounting_ending_with_trace_id"


def quoted(cells: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def four(ids: str) -> list[str]:
    """`T R O P`, a dot for an empty one, an underscore for a blank, a hash for a no-break space."""
    cells = ["" if part == "." else part.replace("_", " ").replace("#", NBSP) for part in ids.split()]
    return [*cells, "", "", "", ""][:4]


@dataclass
class Account:
    """All times without an offset are of the account's zone, in 2026: `01-05 09:00`."""

    root: Path
    zone: str = "America/Los_Angeles"
    currency: str = "USD"
    settings: dict[str, str] = field(default_factory=dict)  # more lines of account.yml
    fees: tuple[str, ...] = FEES
    activity: list[list[str]] = field(default_factory=list)
    booked: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("reports", "books/bank"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        values = {"account": "t", "marketplace": "US", "time_zone": self.zone, "currency": self.currency}
        values |= {"currencies": f"[{self.currency}]", "pay_fees": f"[{', '.join(self.fees)}]"} | self.settings
        (self.root / "account.yml").write_text("".join(f"{k}: {v}\n" for k, v in values.items()), encoding="utf-8")

    def at(self, when: str) -> datetime:
        moment = datetime.fromisoformat(when if when[:2] == "20" else f"2026-{when}")
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.zone))

    def stamp(self, when: str) -> str:
        return self.at(when).strftime("%Y-%m-%dT%H:%M:%S %z")

    def did(self, ids: str, amount: str, when: str, *, currency: str | None = None) -> None:
        """The seller's own record of a capture, or of a refund where negative."""
        kind = "refund" if amount.startswith("-") else "capture"
        self.activity.append([self.at(when).isoformat(), kind, *four(ids), amount, currency or self.currency])
        head = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency"
        self._books("pay_activity.csv", head, self.activity)

    def bank(
        self, on: str, amount: str, text: str = "AMAZON PAYMENTS", reference: str = "", *, currency: str | None = None
    ) -> None:
        self.booked.append([f"2026-{on}", amount, currency or self.currency, text, reference])
        self._books("bank.csv", "booked_on,amount,currency,description,reference", self.booked)

    def _books(self, name: str, head: str, rows: list[list[str]]) -> None:
        text = "".join(",".join(cells) + "\n" for cells in [[head], *rows])
        (self.root / "books" / name).write_text(text, encoding="utf-8")

    def row(self, ids: str, amount: str, when: str, kind: str = "", *, number: str = "S1", share: str | None = None,
            fixed: str | None = None, net: str | None = None, currency: str | None = None, told: str = "") -> list[str]:  # fmt: skip
        """A settlement row; a capture's fee is 2.9 % half up + 0.30 and all others' 0.00 unless given."""
        money, kind = Decimal(amount), kind or ("Refund" if amount.startswith("-") else "Capture")
        percentage = -(money * Decimal("0.029")).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        first = Decimal(share) if share is not None else percentage if kind == "Capture" else Decimal(0)
        second = Decimal(fixed) if fixed is not None else Decimal("-0.30") if kind == "Capture" else Decimal(0)
        transaction, reference, order, charge = four(ids)
        return [self.stamp(when), number, transaction, reference, kind, charge, order, "", currency or self.currency, told, amount,
                str(first), str(second), str(first + second), net or str(money + first + second)]  # fmt: skip

    def transfer(self, amount: str, when: str, number: str = "S1", **more: str) -> list[str]:
        return self.row("", amount, when, "Transfer", number=number, told=PAYOUT, **more)  # type: ignore[arg-type]

    def file(self, name: str, start: str, end: str, *rows: list[str]) -> None:
        """A settlement file with the bytes of a real one: BOM, preamble, a comma too many in the header only. Rows begin on line 7."""
        top = '"Amazon Payments Advanced",\n"Settlement Report",\n"SellerId","A1"\n'
        window = f'"SettlementStartDate","{self.stamp(start)}"\n"SettlementEndDate","{self.stamp(end)}"\n'
        text = top + window + quoted(HEAD) + ",\n" + "".join(quoted(row) + "\n" for row in rows)
        (self.root / "reports" / f"{name}.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())

    def day(self, on: str, published: pl.DataFrame | None = None, entered: Entered | None = None) -> Seen:
        books = open_account(self.root, f"2026-{on}", store=self.root / ".store")
        return Seen(reconcile(books, audits=CASH, published=published, entered=entered))

    def packet(self, on: str, home: Path) -> Seen:
        """The data of the day's packet in `home`, made after the packets that lie there already, as the daily run does it."""
        today = date.fromisoformat(f"2026-{on}")
        yesterday = publish.revisions(home, str(today - timedelta(days=1)))
        before = publish.before(home, today) if home.is_dir() else None
        seen = self.day(on, publish.rollforward(yesterday[-1] if yesterday else ""), publish.journal(before or ""))
        place = home / publish.folder_name(str(today), len(publish.revisions(home, str(today))) + 1)
        write_day(seen.day, place)
        (place / "manifest.json").write_text(f'{{"packet": {{"as_of": "{today}"}}}}', encoding="utf-8")
        return seen


def plain(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


@dataclass(frozen=True)
class Seen:
    """A day in short tuples, money with two digits."""

    day: Day

    @property
    def findings(self) -> list[str]:
        """`audit status event_on reference_id owed`, in the packet's order; an empty owed is a dash."""
        names = ["audit", "status", "event_on", "reference_id", "owed"]
        rows = self.day.findings.select(names).rows()
        return [" ".join([a, s, f"{on:%m-%d}", r or "-", plain(owed) or "-"]) for a, s, on, r, owed in rows]

    @property
    def open(self) -> list[str]:
        """`id amount hours overdue`; the id is the first one known."""
        rows = self.day.open_items.select(OPEN_ITEMS).rows()
        return [f"{next(i for i in r[2:6] if i)} {r[6]:.2f} {r[8]:.1f}{' overdue' if r[9] else ''}" for r in rows]

    @property
    def pairs(self) -> list[str]:
        """`activity line > file:line rule matched_on`, with `differs` for a difference, by activity line."""
        rows = self.day.matches.select(MATCHES).sort("activity_line").to_dicts()
        short = {
            "AmazonTransactionId": "T",
            "SellerReferenceId": "R",
            "SellerOrderId": "O",
            "AmazonOrderReferenceId": "P",
        }
        return [
            f"{m['activity_line']} > {Path(m['settlement_file']).stem}:{m['settlement_line']} {short[m['rule']]} {m['matched_on']:%m-%d}"
            + (" differs" if m["pile"] != "matched" else "")
            for m in rows
        ]

    @property
    def roll(self) -> list[str]:
        """`currency opening + new - matched = closing`, each as lines/money; then what was restated."""
        told = []
        for r in self.day.rollforward.to_dicts():
            o, n, m, c = (f"{r[f'{k}_lines']}/{r[f'{k}_amount']:.2f}" for k in ("opening", "new", "matched", "closing"))
            again = "" if r["restated_lines"] is None else f" restated {r['restated_lines']}/{r['restated_amount']:.2f}"
            told.append(f"{r['currency']} {o} + {n} - {m} = {c}{again}")
        return told

    def entries(self, on: str | None = None) -> list[str]:
        """`account debit credit` summed over references, of one day or of all."""
        rows = self.day.journal if on is None else self.day.journal.filter(pl.col("date").dt.strftime("%m-%d") == on)
        sums = (
            rows.group_by("account", "currency")
            .agg(pl.col("debit").sum(), pl.col("credit").sum())
            .sort("account", "currency")
        )
        return [f"{a} {d:.2f} {c:.2f}" for a, _, d, c in sums.rows()]

    def balance(self, account: str) -> str:
        rows = self.day.journal.filter(pl.col("account") == account)
        return f"{(rows['debit'].sum() or Decimal(0)) - (rows['credit'].sum() or Decimal(0)):.2f}"

    def check(self) -> None:
        """What holds on every day: debits = credits by day and currency, receivables = the open set, the roll-forward foots."""
        days = self.day.journal.group_by("date", "currency").agg(
            (pl.col("debit") - pl.col("credit")).sum().alias("off")
        )
        assert days.filter(pl.col("off") != 0).is_empty()
        left = self.day.open_items["amount"].sum() or Decimal(0)
        assert self.balance("accounts receivable") == f"{left:.2f}"
        for row in self.day.rollforward.to_dicts():
            for what in ("lines", "amount"):
                moved = row[f"opening_{what}"] + row[f"new_{what}"] - row[f"matched_{what}"]
                assert moved == row[f"closing_{what}"]

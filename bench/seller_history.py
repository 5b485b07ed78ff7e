"""What happened to a large seller in 24 months (seller.py writes it as reports): orders, refunds, returns, stock, payments."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

RATES = {
    "refund not returned": 0.10,  # of refunded orders; Amazon charges the buyer or pays the seller for most of them
    "of these paid": 0.70,
    "damaged by Amazon or carrier": 0.03,
    "customer damaged or defective": 0.27,  # of returns; the rest is sellable
    "damaged return paid": 0.85,
    "return never restocked": 0.01,
    "misplaced": 0.010,
    "found again": 0.75,
    "paid as lost": 0.18,  # of shipped units; of misplaced ones
    "damaged in the warehouse": 0.003,
    "paid as damaged": 0.85,
    "damaged when unsellable": 0.004,
    "disposition changed": 0.03,
    "disposed": 0.002,
    "reimbursement not settled": 0.005,
    "reimbursement too small": 0.05,
    "fulfilment fee too high": 0.005,
}
"""One event in so many; of shipments where nothing else is said."""
PRODUCTS, DAYS, LEAST = 5000, 730, 86400
END = int(datetime(2026, 10, 1, 6, 59, 59, tzinfo=UTC).timestamp())  # the end of 30 September in the account's zone
START = END - DAYS * LEAST
ZONE = "America/Los_Angeles"
CENTERS = ["LEX1", "PHX7", "ONT8", "BFI4", "MDW2", "ABE8", "DFW7", "TPA1"]
CODES = {
    "CustomerReturn": "REVERSAL_REIMBURSEMENT",
    "Lost_Warehouse": "WAREHOUSE_LOST",
    "Damaged_Warehouse": "WAREHOUSE_DAMAGE",
}


def digits(value: pl.Expr, count: int) -> pl.Expr:
    return value.cast(pl.String).str.zfill(count)


def local(form: str) -> pl.Expr:
    return pl.from_epoch("t").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.strftime(form)


class Seller:
    """The history as frames with whole cents and seconds; `t` is the time of a row."""

    def __init__(self, rows: int) -> None:
        self.r = np.random.default_rng(20261001)
        self.rows, self.returned = rows, rows // 25
        self.refunded = int(self.returned / (1 - RATES["refund not returned"]))
        self.ordered = (rows - 4 * self.refunded - rows // 250) // 4
        f = pl.col("f")
        self.products = pl.DataFrame(
            {"f": np.arange(PRODUCTS), "price": self.r.integers(1000, 9000, PRODUCTS)}
        ).with_columns(
            fnsku=pl.lit("X00") + digits(f * 7 + 1_000_000, 7),
            asin=pl.lit("B0") + digits(f * 13 + 10_000_000, 8),
            sku=pl.lit("SKU-") + digits(f, 5),
            title=pl.lit("Example Brand Product ") + digits(f, 5),
        )
        self.orders = self._orders()
        self.refunds = self._refunds()
        self.returns = self._returns()
        self.stock = self._stock()
        self.payments = self._payments()

    def happens(self, rate: str, many: int) -> npt.NDArray[np.bool_]:
        return self.r.random(many) < RATES[rate]

    def later(self, rows: pl.DataFrame, least: float, most: float) -> pl.DataFrame:
        """`rows` so many days later, without those that then lie after the end."""
        wait = pl.Series(self.r.integers(int(least * LEAST), int(most * LEAST), rows.height))
        return rows.with_columns(t=pl.col("t") + wait).filter(pl.col("t") <= END)

    def _orders(self) -> pl.DataFrame:
        n = self.ordered
        made = pl.DataFrame(
            {
                "o": np.arange(n),
                "f": self.r.zipf(1.3, n) % PRODUCTS,
                "q": self.r.choice([1, 1, 1, 2], n),
                "t": np.sort(START + self.r.integers(0, DAYS * LEAST, n)),
                "dear": self.happens("fulfilment fee too high", n),
            }
        )
        made = made.join(self.products, on="f", how="left", maintain_order="left").with_columns(day=local("%Y-%m-%d"))
        day, peak = pl.col("day"), pl.lit(False)
        for year in (2024, 2025):
            peak = peak | pl.col("day").is_between(pl.lit(f"{year}-10-15"), pl.lit(f"{year + 1}-01-14"))
        # what the card asks for this size and weight
        fee = (
            pl.when(peak)
            .then(484)
            .when(day < "2025-10-15")
            .then(455)
            .when(pl.col("price") <= 5000)
            .then(460)
            .otherwise(486)
        )
        return made.with_columns(fee=fee + 80 * pl.col("dear"), total=pl.col("price") * pl.col("q"))

    def _refunds(self) -> pl.DataFrame:
        chosen = self.orders.filter(pl.col("t") < END - 45 * LEAST).sample(self.refunded, seed=1)
        half = pl.col("n") % 20 == 0  # one refund in twenty gives half the price back
        made = self.later(chosen, 3, 35).sort("t", "o").with_row_index("n")
        made = made.with_columns(back=pl.when(half).then(pl.col("total") // 2).otherwise("total"))
        return made.with_columns(comes=pl.Series(~self.happens("refund not returned", made.height)))

    def _returns(self) -> pl.DataFrame:
        made = self.later(self.refunds.filter("comes"), 0, 10)
        kinds = ["CARRIER_DAMAGED", "CUSTOMER_DAMAGED", "SELLABLE"]
        odds = [RATES["damaged by Amazon or carrier"], RATES["customer damaged or defective"]]
        return made.with_columns(kind=pl.Series(self.r.choice(kinds, made.height, p=[*odds, 1 - sum(odds)]))).sort(
            "t", "o"
        )

    def _stock(self) -> pl.DataFrame:
        """Adjustments: `code`, signed `q`, `disposition`; found units carry the loss's product."""

        def some(rate: str, code: str, sign: int, disposition: str) -> pl.DataFrame:
            n = int(self.ordered * RATES[rate])
            return pl.DataFrame(
                {
                    "f": self.r.zipf(1.3, n) % PRODUCTS,
                    "q": sign * self.r.choice([1, 1, 1, 2], n),
                    "t": START + self.r.integers(0, DAYS * LEAST, n),
                    "code": [code] * n,
                    "disposition": [disposition] * n,
                }
            )

        lost = some("misplaced", "M", -1, "SELLABLE")
        fate = self.r.random(lost.height)
        self.lost = lost.filter(
            pl.Series((fate >= RATES["found again"]) & (fate < RATES["found again"] + RATES["paid as lost"]))
        )
        found = self.later(lost.filter(pl.Series(fate < RATES["found again"])), 1, 40)
        found = found.with_columns(q=-pl.col("q"), code=pl.lit("F"))
        broken = some("damaged in the warehouse", "E", -1, "SELLABLE")
        self.broken = broken.filter(pl.Series(self.happens("paid as damaged", broken.height)))
        changed = some("disposition changed", "Q", -1, "SELLABLE")
        other = changed.with_columns(q=-pl.col("q"), code=pl.lit("P"), disposition=pl.lit("DEFECTIVE"))
        odd = [some("damaged when unsellable", "6", -1, "DEFECTIVE"), some("disposed", "D", -1, "DEFECTIVE")]
        return pl.concat([lost, found, broken, changed, other, *odd])

    def _payments(self) -> pl.DataFrame:
        """Reimbursements: `o` null where stock is paid for; `paid` cents for `q` units."""
        kept = self.refunds.filter(~pl.col("comes"))
        back = self.later(kept.filter(pl.Series(self.happens("of these paid", kept.height))), 45, 60)
        bad = self.returns.filter(pl.col("kind") == "CARRIER_DAMAGED")
        bad = self.later(bad.filter(pl.Series(self.happens("damaged return paid", bad.height))), 5, 30)
        of_orders = pl.concat(
            [rows.select("o", "f", "q", "t", reason=pl.lit("CustomerReturn")) for rows in (back, bad)]
        )
        parts = [of_orders]
        for rows, reason in ((self.lost, "Lost_Warehouse"), (self.broken, "Damaged_Warehouse")):
            parts.append(
                self.later(rows, 5, 30).select(
                    pl.lit(None, pl.Int64).alias("o"), "f", -pl.col("q"), "t", reason=pl.lit(reason)
                )
            )
        made = pl.concat(parts).join(self.products, on="f", how="left", maintain_order="left").sort("t", "o", "f")
        small, settled = (
            self.happens("reimbursement too small", made.height),
            ~self.happens("reimbursement not settled", made.height),
        )
        each = pl.when(pl.Series(small)).then(pl.col("price") // 4).otherwise("price")
        return made.with_columns(each=each, settled=pl.Series(settled)).with_columns(paid=pl.col("each") * pl.col("q"))

    def ledger(self) -> pl.DataFrame:
        """All ledger rows; what is left of ROWS are transfers between warehouses, two rows each."""
        own = ["f", "q", "t", "o", "event", "code", "disposition"]

        def told(
            rows: pl.DataFrame, event: str, q: pl.Expr, disposition: pl.Expr | str = "SELLABLE", code: str = ""
        ) -> pl.DataFrame:
            state = pl.lit(disposition) if isinstance(disposition, str) else disposition
            return rows.with_columns(event=pl.lit(event), q=q, disposition=state, code=pl.lit(code)).select(own)

        q, nobody = pl.col("q"), pl.lit(None, pl.Int64).alias("o")
        booked = self.returns.filter(pl.Series(~self.happens("return never restocked", self.returns.height)))
        stock = self.stock.with_columns(nobody, event=pl.lit("Adjustments")).select(own)
        received = pl.DataFrame({"f": self.r.integers(0, PRODUCTS, self.rows // 100)}, schema={"f": pl.Int64})
        received = received.with_columns(
            nobody, q=pl.lit(50, pl.Int64), t=START + pl.Series(self.r.integers(0, DAYS * LEAST, received.height))
        )
        parts = [
            told(self.later(self.orders, 0.2, 2), "Shipments", -q),
            told(self.later(booked, 0.2, 4), "CustomerReturns", q, pl.col("kind")),
            stock,
            told(received, "Receipts", q),
        ]
        pairs = (self.rows - sum(part.height for part in parts)) // 2
        moved = pl.DataFrame(
            {
                "f": self.r.zipf(1.3, pairs) % PRODUCTS,
                "q": self.r.integers(1, 9, pairs),
                "t": START + self.r.integers(0, DAYS * LEAST, pairs),
            }
        )
        moved = moved.with_columns(nobody)
        both = pl.concat([told(moved, "WhseTransfers", -q), told(self.later(moved, 0.5, 5), "WhseTransfers", q)])
        rows = (
            pl.concat([*parts, both])
            .sort("t")
            .with_columns(
                fc=pl.Series(CENTERS).gather(
                    pl.Series(self.r.integers(0, len(CENTERS), sum(p.height for p in [*parts, both])))
                ),
                ref=pl.Series(self.r.integers(10**11, 10**12, sum(p.height for p in [*parts, both]))),
            )
        )
        return rows.join(self.products, on="f", how="left", maintain_order="left").with_columns(month=local("%Y-%m"))

    def settlement(self) -> pl.DataFrame:
        """All settlement lines by time: `kind`, `ad` (what), `cents` and the settlement's number `s`."""

        def four(rows: pl.DataFrame, kind: str, sign: int, base: str, last: tuple[str, pl.Expr]) -> pl.DataFrame:
            commission = (pl.col(base) * 15 + 50) // 100
            parts = {
                "Principal": sign * pl.col(base),
                "Tax": sign * (pl.col(base) * 8 // 100),
                "Commission": -sign * commission,
                last[0]: last[1],
            }
            rows = rows.with_row_index("at").with_columns(kind=pl.lit(kind), **parts)
            n = pl.col("n").cast(pl.Int64) if kind == "Refund" else pl.lit(None, pl.Int64)
            rows = rows.select("at", "o", "sku", "q", "t", "kind", *parts, n=n)
            long = rows.unpivot(
                on=list(parts), index=["at", "o", "sku", "q", "t", "kind", "n"], variable_name="ad", value_name="cents"
            )
            return long.sort("at", maintain_order=True).drop("at")

        kept = pl.min_horizontal((pl.col("back") * 15 + 50) // 100 // 5, 500 * pl.col("q"))
        sold = four(self.orders, "Order", 1, "total", ("FBAPerUnitFulfillmentFee", -pl.col("fee") * pl.col("q")))
        back = four(self.refunds, "Refund", -1, "back", ("RefundCommission", -kept))
        paid = self.later(self.payments.filter("settled"), 0.5, 3)
        paid = paid.select(
            "o",
            "sku",
            "q",
            "t",
            kind=pl.lit("other-transaction"),
            ad=pl.col("reason").replace_strict(CODES),
            cents="paid",
            n=pl.lit(None, pl.Int64),
        ).select(sold.columns)
        lines = pl.concat([sold, back, paid], how="vertical_relaxed").sort("t", maintain_order=True)
        return lines.with_columns(s=(pl.col("t") - START) // (14 * LEAST))

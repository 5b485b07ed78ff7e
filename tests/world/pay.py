"""Amazon Pay: captures and refunds as the shop recorded them, daily settlement files, transfers to the bank.

A file covers 15:00:44 to 14:59:44 of the next day. Its transfer pays what the file before left; its lines are what is
left for the next one. What each activity met, or did not meet, is known here, and so is every finding.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.world.places import D, cents
from tests.world.state import Truth, World

Row = dict[str, object]


def business_day(day: date, ahead: int) -> date:
    """The `ahead`-th Monday to Friday after `day`; public holidays are passed over by choosing short waits."""
    while ahead:
        day += timedelta(1)
        ahead -= day.weekday() < 5
    return day


def fee(amount: Decimal, percent: str = "2.9", fixed: str = "0.30") -> tuple[Decimal, Decimal]:
    share = (amount * D(percent) / 100).quantize(D("0.01"), rounding=ROUND_HALF_UP)
    return -share, -D(fixed)


class Pay:
    def __init__(self, w: World, first: date, last: date, hole: date | None = None) -> None:
        self.w, self.first, self.last, self.hole = w, first, last, hole
        self.dice = w.dice.fork("pay")
        self.activities: list[Row] = []
        self.lines: list[Row] = []
        self.shop = self.dice.between(2000, 5000)

    # --- one thing happens ---------------------------------------------------------------------------------------

    def window(self, moment: datetime) -> date:
        """The day whose file holds `moment`: files end at 14:59:44."""
        local = moment.astimezone(self.w.zone)
        return local.date() if (local.hour, local.minute, local.second) < (15, 0, 0) else local.date() + timedelta(1)

    def moment(self, day: date, hour: int | None = None, minute: int | None = None) -> datetime:
        dice = self.dice
        hour = dice.between(3, 23) if hour is None else hour
        local = datetime(day.year, day.month, day.day, hour, dice.between(2, 50) if minute is None else minute,
                         dice.between(0, 59), tzinfo=self.w.zone)  # fmt: skip
        return local.astimezone(UTC)

    def ids(self, order: Row | None, kind: str) -> Row:
        dice = self.dice
        if order is None:
            self.shop += dice.between(1, 3)
            reference = f"{self.w.place.pay_prefix}-{self.w.unique('digits', 7)}-{self.w.unique('digits', 7)}"
            shop = f"S{self.shop:05d}" if dice.chance(60) else f"{self.shop:07d}"
        else:
            reference, shop = str(order["oro"]), str(order["shop"])
        letter = "C" if kind == "capture" else "R"
        return {
            "oro": reference, "shop": shop, "tx": f"{reference}-{letter}{self.w.unique('digits', 6)}",
            "ref": f"{'CAP' if kind == 'capture' else 'REF'}_{self.w.unique('digits', 7)}",
        }  # fmt: skip

    def activity(self, at: datetime, kind: str, amount: Decimal, ids: Row, *, knows: str = "all") -> Row:
        """The shop's own record; `knows`: which ids it holds."""
        keep = {"all": ("tx", "ref", "shop", "oro"), "ref": ("ref", "oro"), "shop": ("shop",), "oro": ("oro",),
                "messy": ("tx", "ref", "shop", "oro")}[knows]  # fmt: skip
        row: Row = {
            "at": at,
            "kind": kind,
            "amount": amount,
            **{k: ids[k] if k in keep else "" for k in ("tx", "ref", "shop", "oro")},
        }
        if knows == "messy":  # the shop stores ids in lower case, with a blank at the end
            row["tx"] = str(ids["tx"]).lower() + " "
        row["visible"] = False
        self.activities.append(row)
        return row

    def line(self, at: datetime, kind: str, amount: Decimal, ids: Row | None, *, fees: tuple[Decimal, Decimal] | None = None,
             note: str = "") -> Row:  # fmt: skip
        share, fixed = fees if fees is not None else fee(amount) if kind == "Capture" else (D("0"), D("0"))
        row: Row = {
            "at": at, "kind": kind, "amount": amount, "share": share, "fixed": fixed, "note": note,
            "day": self.window(at), **(ids or {"tx": "", "ref": "", "shop": "", "oro": ""}),
        }  # fmt: skip
        self.lines.append(row)
        return row

    def posted(self, at: datetime, late: int = 0) -> datetime:
        """A while after `at`, in the same file (or `late` files later)."""
        end = datetime(*self.window(at).timetuple()[:3], 14, 59, 0, tzinfo=self.w.zone)
        soon = min(
            at + timedelta(minutes=self.dice.between(1, 240)), max(at, end.astimezone(UTC) - timedelta(minutes=1))
        )
        return soon + timedelta(days=late)

    def clean(self, day: date, *, kind: str = "capture", amount: Decimal | None = None, knows: str = "all", late: int = 0,
              order: Row | None = None, hour: int | None = None) -> Row:  # fmt: skip
        """An activity and its line; returns the ids."""
        at = self.moment(day, hour)
        ids = self.ids(order, kind)
        amount = self.dice.cents("25", "180") if amount is None else amount
        row = self.activity(at, kind, amount, ids, knows=knows)
        line = self.line(self.posted(at, late), kind.capitalize(), amount, ids)
        row["line"] = line
        return {**ids, "amount": amount, "at": at}

    # --- the daily business and its wrongs -----------------------------------------------------------------------

    def background(self, a_day: tuple[int, int]) -> None:
        day, sold = self.first + timedelta(1), []
        while day <= self.last:
            for _ in range(self.dice.between(*a_day)):
                # between the windows of the day before a hole nothing happens, so the hole's own transfer is zero
                hour = self.dice.between(3, 13)
                if self.hole and day == self.hole - timedelta(1):
                    continue
                sold.append(
                    (day, self.clean(day, hour=hour, knows=self.dice.pick(("all", "all", "ref", "shop", "messy"))))
                )
            if self.dice.chance(35) and len(sold) > 6:
                when, order = sold.pop(self.dice.between(0, 3))
                if day - when > timedelta(2) and not (self.hole and day in (self.hole, self.hole - timedelta(1))):
                    part = -min(order["amount"], self.dice.cents("5", "38"))  # type: ignore[type-var]
                    self.clean(day, kind="refund", amount=part, order=order, hour=self.dice.between(4, 13))
            day += timedelta(1)

    def expect(
        self, audit: str, day: date | None, reference: object, owed: Decimal | str, note: str, status: str = "open"
    ) -> None:
        currency = self.w.place.currency if owed != "" else None
        self.w.expect(Truth(audit, status, event_on=day, reference_id=str(reference) if reference else None, owed=owed,
                            claim_from="", claim_by="", currency=currency, note=note))  # fmt: skip

    def overdue(self, day: date, *, kind: str = "capture", knows: str = "all") -> None:
        at, ids = self.moment(day, 10), self.ids(None, kind)
        amount = self.dice.cents("20", "150") * (1 if kind == "capture" else -1)
        self.activity(at, kind, amount, ids, knows=knows)

    def waiting(self) -> None:
        """47 hours old at the end of the day: open, not overdue."""
        at, ids = self.moment(self.w.as_of - timedelta(1), 1, 5), self.ids(None, "capture")
        self.activity(at, "capture", D("74.00"), ids)
        self.w.decoy("pay_overdue", str(ids["tx"]), "open for less than 48 hours")

    def differs(self, day: date, recorded: str, came: str, kind: str = "capture") -> None:
        at, ids = self.moment(day, 9), self.ids(None, kind)
        row = self.activity(at, kind, D(recorded), ids)
        row["line"] = self.line(self.posted(at), kind.capitalize(), D(came), ids)
        gap = D(recorded) - D(came)
        self.expect(
            "pay_amount_differs", None, ids["tx"], gap if gap > 0 else "", f"recorded {recorded}, settled {came}"
        )

    def duplicate(self, day: date, kind: str = "capture") -> None:
        amount = D("42.00") if kind == "capture" else D("-19.50")
        ids = self.clean(day, kind=kind, amount=amount, hour=11)
        self.line(self.moment(day + timedelta(1), 8), kind.capitalize(), amount, ids)
        self.expect("pay_duplicate", None, ids["tx"], -amount if amount < 0 else "", "the same line in two files")

    def unknown(self, day: date, kind: str = "capture") -> None:
        amount = D("33.00") if kind == "capture" else D("-21.40")
        ids = self.ids(None, kind)
        self.line(self.moment(day, 12), kind.capitalize(), amount, ids)
        self.expect("pay_unknown", None, ids["tx"], -amount if amount < 0 else "", "no activity of the shop")

    def fee_differs(self, day: date) -> None:
        """100.00 at 3.9 % instead of 2.9 %: one too much."""
        at, ids = self.moment(day, 13), self.ids(None, "capture")
        row = self.activity(at, "capture", D("100.00"), ids)
        row["line"] = self.line(self.posted(at), "Capture", D("100.00"), ids, fees=fee(D("100.00"), "3.9"))
        self.expect("pay_fee_differs", None, ids["tx"], D("1.00"), "4.20 charged, 3.20 due")

    def late(self, day: date) -> None:
        ids = self.clean(day, late=1, hour=10)
        self.w.decoy("pay_overdue", str(ids["tx"]), "came a day late")

    def fee_rounds(self, day: date) -> None:
        ids = self.clean(day, amount=D("45.00"), hour=9)  # 1.305 is 1.31
        self.w.decoy("pay_fee_differs", str(ids["tx"]), "2.9 % of 45.00 rounds up to 1.31")
        at, cheap = self.moment(day, 8), self.ids(None, "capture")
        row = self.activity(at, "capture", D("60.00"), cheap)
        row["line"] = self.line(self.posted(at), "Capture", D("60.00"), cheap, fees=fee(D("60.00"), "1.9"))
        self.w.decoy("pay_fee_differs", str(cheap["tx"]), "less than the schedule")

    def shared_order(self, day: date) -> None:
        """Two part captures of one order, the shop knows only the order reference: equal amounts decide."""
        first = self.ids(None, "capture")
        for hour, amount in ((9, "20.00"), (11, "31.00")):
            ids = self.ids(first, "capture")
            at = self.moment(day, hour)
            row = self.activity(at, "capture", D(amount), ids, knows="oro")
            row["line"] = self.line(self.posted(at), "Capture", D(amount), ids)
        self.w.decoy("pay_amount_differs", str(first["oro"]), "two part captures of one order reference")

    def other_types(self, day: date) -> None:
        for hour, kind, amount in ((6, "Chargeback", "-12.00"), (7, "A-to-z Guarantee claim", "-9.00"), (8, "Adjustment", "3.00"),
                                   (9, "Debt", "18.00")):  # fmt: skip
            ids = self.ids(None, "capture")
            self.line(self.moment(day, hour), kind, D(amount), ids if kind in ("Chargeback", "A-to-z Guarantee claim") else None,
                      fees=(D("0"), D("0")))  # fmt: skip
            self.w.decoy("pay_unknown", str(ids["tx"]), f"{kind} is listed by type")

    def recorded_twice(self, day: date) -> None:
        ids = self.clean(day, hour=12)
        self.activities.append(dict(self.activities[-1]))
        self.activities[-1]["copy"] = True
        self.w.decoy("pay_overdue", str(ids["tx"]), "the shop wrote the same activity twice")

    # --- files and the bank ----------------------------------------------------------------------------------------

    def build(
        self, reserve: tuple[date, date] | None = None, deposit: Callable[[Row], Decimal | None] | None = None
    ) -> None:
        """The files day by day with transfers and reserves, the bank credits, and what is open at the end of the as-of day."""
        w = self.w
        day, left, held = self.first + timedelta(1), cents(self.dice.cents("150", "400")), D(0)
        self.line(self.moment(self.first, 18, 0), "Capture", D("64.00"), ids := self.ids(None, "capture"))
        self.activities.append(
            {
                "at": self.moment(self.first, 17, 0),
                "kind": "capture",
                "amount": D("64.00"),
                **ids,
                "line": self.lines[-1],
            }
        )
        while day <= self.last:
            start = datetime(*(day - timedelta(1)).timetuple()[:3], 15, 0, 44, tzinfo=w.zone)
            end = datetime(*day.timetuple()[:3], 14, 59, 44, tzinfo=w.zone)
            number, rows = w.unique("digits", 10), [r for r in self.lines if r["day"] == day]
            if left > 0:
                rows.append(self.line((start + timedelta(minutes=self.dice.between(10, 50))).astimezone(UTC), "Transfer", -left, None,
                                      note="SellerPayments_DateRangeReport_transfer_accounting_ending_with_trace_id"))  # fmt: skip
                self._pay_out(rows[-1], left, number, day, deposit)
            if held:
                rows.append(
                    self.line(
                        start.astimezone(UTC) + timedelta(minutes=2),
                        "Reserve",
                        held,
                        None,
                        note="Previous Reserve Balance",
                    )
                )
            held = D("0")
            if reserve and reserve[0] <= day <= reserve[1]:
                held = D("35.00")
                rows.append(
                    self.line(
                        end.astimezone(UTC) - timedelta(minutes=2),
                        "Reserve",
                        -held,
                        None,
                        note="Current Reserve Balance",
                    )
                )
            left = sum((r["amount"] + r["share"] + r["fixed"] for r in rows if r["kind"] != "Transfer"), D(0))  # type: ignore[operator,misc]
            if left < 0:
                raise ValueError(f"the simulated Amazon Pay balance is negative on {day}")
            for row in rows:
                row["number"], row["seen"] = number, day != self.hole
            rows.sort(key=lambda r: r["at"])  # type: ignore[arg-type,return-value]
            w.pay_files.append(
                {"number": number, "start": start, "end": end, "rows": rows, "day": day, "lost": day == self.hole}
            )
            day += timedelta(1)
        w.pay = {"activities": sorted(self.activities, key=lambda r: r["at"]), "open": []}  # type: ignore[arg-type,return-value]
        self._open_at_the_end()

    def _pay_out(
        self, row: Row, amount: Decimal, number: str, day: date, deposit: Callable[[Row], Decimal | None] | None
    ) -> None:
        posted = row["at"].astimezone(self.w.zone).date()  # type: ignore[attr-defined]
        paid: Decimal | None = (
            amount if deposit is None else deposit({"day": day, "amount": amount, "number": number, "posted": posted})
        )
        if paid is not None:
            self.w.bank.append(
                {"on": business_day(posted, self.dice.between(1, 2)), "amount": paid, "text": "AMAZON PAYMENTS DISBURSEMENT WEB",
                 "reference": "AP" + self.w.unique("digits", 8)}
            )  # fmt: skip

    def _open_at_the_end(self) -> None:
        w = self.w
        end = datetime(*(w.as_of + timedelta(1)).timetuple()[:3], tzinfo=w.zone)
        gap = None
        if self.hole:
            gap = tuple(f[k] for f in w.pay_files if f["lost"] for k in ("start", "end"))
            w.expect(Truth("settlement_gap", "open", owed=None, note=f"the Amazon Pay file of {self.hole} is missing"))
        for row in w.pay["activities"]:
            line, at = row.get("line"), row["at"]
            if row.get("copy") or at >= end or (line and line.get("seen") and line["at"] < end):  # type: ignore[operator,index]
                continue
            w.pay["open"].append(row)
            if end - at <= timedelta(hours=48):  # type: ignore[operator]
                continue
            in_gap = gap and at < gap[1] and at + timedelta(hours=48) > gap[0]  # type: ignore[operator,index]
            known = next(str(row[k]).strip() for k in ("tx", "ref", "shop", "oro") if row[k])
            amount: Decimal = row["amount"]  # type: ignore[assignment]
            self.expect("pay_overdue", at.astimezone(w.zone).date(), known, amount if amount > 0 else "",  # type: ignore[attr-defined]
                        "never settled" if not line else "settled in a file that is missing", "waiting" if in_gap else "open")  # fmt: skip

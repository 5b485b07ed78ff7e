"""Settlements: cut the money lines into periods, add what every settlement has, and write V2 and V1 flat files."""

# ruff: noqa: SIM905  (report columns read better as one text)
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.headers import V1, V2
from tests.world.pay import business_day
from tests.world.places import D
from tests.world.state import Line, World

V1_COLUMNS = {"ItemPrice": "price", "ItemFees": "item-related-fee", "ItemWithheldTax": "item-related-fee"}


def number(w: World, amount: Decimal) -> str:
    text = f"{amount:.2f}"
    return text.replace(".", ",") if w.place.comma else text


def stamp(w: World, at: datetime) -> str:
    return at.strftime("%d.%m.%Y %H:%M:%S UTC" if w.place.comma else "%Y-%m-%d %H:%M:%S UTC")


def settle(
    w: World, first_start: datetime, count: int, *, negative: int | None = None, missing: int | None = None,
    broken_reserve: int | None = None, reserves: bool = True,
    deposit: Callable[[int, Decimal, date], list[tuple[int, Decimal, str]] | None] | None = None,
) -> None:  # fmt: skip
    """Cut `w.lines` into `count` settlements of 14 days, chain reserves and balances, and book the deposits.

    `negative`: that settlement ends below zero. `missing`: that one is not among the files. `broken_reserve`: that one
    releases another reserve than the one before held. `deposit`: the bank's bookings (business days, amount, reference)
    instead of one credit of the total.
    """
    held, owing = D("0.00"), D("0.00")
    for index in range(count):
        start, end = first_start + timedelta(14 * index), first_start + timedelta(14 * (index + 1))
        lines = [x for x in w.lines if start <= x.at < end]

        def extra(at: datetime, what: str, amount: Decimal, lines: list[Line] = lines) -> None:
            lines.append(Line(at, "other-transaction", "other-transaction", what, amount))

        if owing:
            extra(start, "Payable to Amazon", owing)
            extra(start + timedelta(hours=1, minutes=19), "Successful charge", -owing)
            owing = D("0.00")
        if held:
            extra(
                start + timedelta(minutes=1),
                "Previous Reserve Amount Balance",
                held + (D("7.00") if index == broken_reserve else 0),
            )
        if index % 2 == 0:
            extra(start + timedelta(days=3, hours=5), "Subscription Fee", D("-39.99"))
        lines.append(
            Line(
                start + timedelta(days=6, hours=2),
                "ServiceFee",
                "Cost of Advertising",
                "TransactionTotalAmount",
                -w.dice.cents("20", "60"),
            )
        )
        extra(start + timedelta(days=9, hours=7), "Storage Fee", -w.dice.cents("10", "40"))
        held = D("0.00")
        if reserves and index != negative and (missing is None or index > missing):
            held = w.dice.cents("15", "45")
            extra(end - timedelta(minutes=5), "Current Reserve Amount", -held)
        if negative == index:
            total = sum((x.amount for x in lines), D(0))
            extra(end - timedelta(days=2), "FBA Inbound Placement Service Fee", -(total + D("85.40")))
        total = sum((x.amount for x in lines), D(0))
        lines.sort(key=lambda x: x.at)
        number_, deposited = w.unique("digits", 11), end + timedelta(2)
        w.settlements.append(
            {"id": number_, "index": index, "start": start, "end": end, "deposit": deposited, "total": total, "lines": lines,
             "lost": index == missing}
        )  # fmt: skip
        owing = min(total, D("0.00"))
        if total <= 0:
            continue
        day = deposited.astimezone(w.zone).date()
        booked = deposit(index, total, day) if deposit else None
        for wait, amount, reference in (
            booked if booked is not None else [(w.dice.between(0, 2), total, "TR" + w.unique("digits", 9))]
        ):
            w.bank.append({"on": business_day(day, wait) if wait else _workday(day), "amount": amount, "reference": reference,
                           "text": f"AMAZON SETTLEMENT {w.place.code} {number_[-4:]}"})  # fmt: skip


def _workday(day: date) -> date:
    return business_day(day - timedelta(1), 1)


def v2(w: World, settlement: dict[str, object]) -> bytes:
    number_ = str(settlement["id"])
    head = dict.fromkeys(V2, "")
    head |= {"settlement-id": number_, "settlement-start-date": stamp(w, settlement["start"]),  # type: ignore[arg-type]
             "settlement-end-date": stamp(w, settlement["end"]), "deposit-date": stamp(w, settlement["deposit"]),  # type: ignore[arg-type]
             "total-amount": number(w, settlement["total"]), "currency": w.place.currency}  # type: ignore[arg-type]  # fmt: skip
    rows = [V2, [head[c] for c in V2]]
    for x in settlement["lines"]:  # type: ignore[attr-defined]
        if x.dropped:
            continue
        cells = {
            "settlement-id": number_, "transaction-type": x.kind, "order-id": x.order_id, "merchant-order-id": x.order_id,
            "adjustment-id": x.adjustment, "shipment-id": x.shipment, "marketplace-name": x.site, "amount-type": x.amount_type,
            "amount-description": x.what, "amount": number(w, x.amount), "fulfillment-id": x.fulfilment,
            "posted-date": x.at.strftime("%d.%m.%Y" if w.place.comma else "%Y-%m-%d"), "posted-date-time": stamp(w, x.at),
            "order-item-code": x.item, "sku": x.sku, "quantity-purchased": "" if x.quantity is None else str(x.quantity),
        }  # fmt: skip
        rows.append([cells.get(c, "") for c in V2])
    return "".join("\t".join(r) + "\n" for r in rows).encode("cp1252")


def v1(w: World, settlement: dict[str, object]) -> bytes:
    """The older layout: quantity on a row of its own, one amount a row, `Successful charge` padded and followed by an empty line."""
    number_ = str(settlement["id"])

    def iso(at: object) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")  # type: ignore[attr-defined]

    head = dict.fromkeys(V1, "")
    head |= {"settlement-id": number_, "settlement-start-date": iso(settlement["start"]), "settlement-end-date": iso(settlement["end"]),
             "deposit-date": iso(settlement["deposit"]), "total-amount": number(w, settlement["total"]), "currency": w.place.currency}  # type: ignore[arg-type]  # fmt: skip
    columns = [c for c in V1 if not c.startswith("promotion-")]  # no promotion in it: the three columns are absent
    out = ["\t".join(columns), "\t".join(head[c] for c in columns)]
    said: set[int] = set()
    for x in settlement["lines"]:  # type: ignore[attr-defined]
        if x.dropped:
            continue
        about = {
            "settlement-id": number_, "transaction-type": x.kind, "order-id": x.order_id, "merchant-order-id": x.order_id,
            "adjustment-id": x.adjustment, "shipment-id": x.shipment, "marketplace-name": x.site, "fulfillment-id": x.fulfilment,
            "posted-date": iso(x.at), "order-item-code": x.item, "sku": x.sku,
        }  # fmt: skip
        amount, empty_line = number(w, x.amount), False
        if x.amount_type in V1_COLUMNS:
            if x.kind == "Order" and x.group not in said:
                said.add(x.group)
                out.append("\t".join({**about, "quantity-purchased": str(x.quantity)}.get(c, "") for c in columns))
            name = V1_COLUMNS[x.amount_type]
            cells = {**about, f"{name}-type": x.what, f"{name}-amount": amount}
        elif x.kind == "ServiceFee":
            cells = {**about, "item-related-fee-type": x.amount_type, "item-related-fee-amount": amount}
        else:
            empty_line = x.what == "Successful charge"
            cells = {**about, "transaction-type": x.what, "other-amount": amount + ("    " if empty_line else ""),
                     "quantity-purchased": "" if x.quantity is None else str(x.quantity)}  # fmt: skip
        out.append("\t".join(cells.get(c, "") for c in columns))
        if empty_line:
            out.append("")
    return ("\n".join(out) + "\n").encode("ascii")


def date_range(w: World, first: date, last: date) -> bytes:
    """The date-range CSV of the days `first` to `last` (account's clock), in the marketplace's language."""
    german = w.place.comma
    head = DATE_RANGE_DE if german else DATE_RANGE_US if w.place.code == "US" else DATE_RANGE_UK
    pre = (
        ["Beinhaltet Transaktionen über Amazon Marketplace und Versand durch Amazon", "Alle Beträge in EUR, sofern nicht anders gekennzeichnet",
         "Definitionen:", "Verkaufsgebühren: Umfasst variable Verkaufsgebühren", "Andere Transaktionsgebühren: Versandkostenrückbehalte"]
        if german else
        ["Includes Amazon Marketplace, Fulfillment by Amazon (FBA), and Amazon Webstore transactions",
         f"All amounts in {w.place.currency}, unless specified", "Definitions:", "Sales tax collected: Includes sales tax collected from buyers.",
         "Selling fees: Includes variable closing fees and referral fees.", "Other transaction fees: Includes shipping chargebacks.",
         "Other: Includes non-order transaction amounts."]
    )  # fmt: skip
    words = {"Order": "Bestellung", "Refund": "Erstattung", "Adjustment": "Anpassung", "Service Fee": "Servicegebühr"}
    groups: dict[object, list[tuple[str, Line]]] = {}
    for s in w.settlements:
        for i, x in enumerate(s["lines"]):  # type: ignore[attr-defined,arg-type]
            if first <= x.at.astimezone(w.zone).date() <= last and not x.dropped:
                groups.setdefault(x.group or (s["id"], i), []).append((str(s["id"]), x))

    def money(amount: Decimal) -> str:
        text = f"{amount:,.2f}"
        return text.translate(str.maketrans(",.", ".,")) if german else text

    rows = []
    for number_, x, parts in sorted(
        ((g[0][0], g[0][1], [y for _, y in g]) for g in groups.values()), key=lambda g: g[1].at
    ):
        if x.what in (
            "Current Reserve Amount",
            "Previous Reserve Amount Balance",
            "Payable to Amazon",
            "Successful charge",
        ):
            continue
        kind = x.kind if x.kind in ("Order", "Refund") else "Adjustment" if "Reimb" in x.amount_type else "Service Fee"
        sums: dict[str, Decimal] = {}
        for y in parts:
            place = {"Principal": "sales", "Tax": "tax", "Shipping": "shipping", "Commission": "fees", "RefundCommission": "fees",
                     "FBAPerUnitFulfillmentFee": "fba", "MarketplaceFacilitatorTax-Principal": "withheld"}.get(y.what)  # fmt: skip
            place = place or ("other" if kind == "Adjustment" else "transaction")
            sums[place] = sums.get(place, D(0)) + y.amount
        local = x.at.astimezone(w.zone)
        when = (
            local.strftime("%d.%m.%Y %H:%M:%S ") + ("MESZ" if local.dst() else "MEZ") if german
            else f"{local:%b} {local.day}, {local.year} {local.hour % 12 or 12}:{local:%M:%S} {'AM' if local.hour < 12 else 'PM'} {local.tzname()}"
            if w.place.code == "US" else f"{local.day} {local:%b %Y %H:%M:%S} " + ("GMT+01:00" if local.dst() else "GMT+00:00")
        )  # fmt: skip
        if german:
            when = x.at.strftime("%d.%m.%Y %H:%M:%S UTC")
        product = next((p.title for p in w.products if p.sku == x.sku), x.what)
        quantity = x.quantity or next((o.quantity for o in w.orders if o.order_id == x.order_id), "")
        cells = {
            "when": when, "settlement": number_, "type": words[kind] if german else kind, "order": x.order_id, "sku": x.sku,
            "text": product if kind in ("Order", "Refund") else f"FBA Inventory Reimbursement - {x.what}" if kind == "Adjustment" else x.what,
            "quantity": str(quantity) if kind != "Service Fee" else "", "market": x.site.lower(),
            "channel": {"AFN": "Amazon", "MFN": "Seller"}.get(x.fulfilment, ""),
            "total": money(sum(sums.values(), D(0))), **{k: money(v) for k, v in sums.items()},
        }  # fmt: skip
        rows.append(
            [
                cells.get(key, "0,00" if german else "0.00") if key in MONEY_KEYS else cells.get(key, "")
                for _, key in head
            ]
        )
    text = [f'"{p}"' for p in pre] + [",".join(f'"{name}"' for name, _ in head)]
    text += [",".join('"' + c.replace('"', '""') + '"' for c in r) for r in rows]
    return b"\xef\xbb\xbf" + ("\r\n".join(text) + "\r\n").encode()


MONEY_KEYS = {"sales", "tax", "shipping", "shiptax", "gift", "gifttax", "regulatory", "regtax", "promo", "promotax", "withheld",
              "fees", "fba", "transaction", "other", "total"}  # fmt: skip
DATE_RANGE_US = [
    ("date/time", "when"), ("settlement id", "settlement"), ("type", "type"), ("order id", "order"), ("sku", "sku"),
    ("description", "text"), ("quantity", "quantity"), ("marketplace", "market"), ("account type", "account"),
    ("fulfillment", "channel"), ("order city", "city"), ("order state", "state"), ("order postal", "postal"),
    ("tax collection model", "model"), ("product sales", "sales"), ("product sales tax", "tax"), ("shipping credits", "shipping"),
    ("shipping credits tax", "shiptax"), ("gift wrap credits", "gift"), ("giftwrap credits tax", "gifttax"),
    ("Regulatory Fee", "regulatory"), ("Tax On Regulatory Fee", "regtax"), ("promotional rebates", "promo"),
    ("promotional rebates tax", "promotax"), ("marketplace withheld tax", "withheld"), ("selling fees", "fees"),
    ("fba fees", "fba"), ("other transaction fees", "transaction"), ("other", "other"), ("total", "total"),
]  # fmt: skip
_UK = {
    "fulfillment": "fulfilment",
    "shipping credits": "postage credits",
    "shipping credits tax": "postage credits tax",
}
DATE_RANGE_UK = [
    (_UK.get(n, n), k) for n, k in DATE_RANGE_US if n not in ("account type", "Regulatory Fee", "Tax On Regulatory Fee")
]
_DE = (
    "Datum/Uhrzeit|Abrechnungsnummer|Typ|Bestellnummer|SKU|Beschreibung|Menge|Marketplace|Versand|Ort der Bestellung|Bundesland|"
    "Postleitzahl|Steuererhebungsmodell|Umsätze|Produktumsatzsteuer|Gutschrift für Versandkosten|Steuer auf Versandgutschrift|"
    "Gutschrift für Geschenkverpackung|Steuer auf Geschenkverpackungsgutschriften|Rabatte aus Werbeaktionen|Steuer auf Aktionsrabatte|"
    "Einbehaltene Steuer auf Marketplace|Verkaufsgebühren|Gebühren zu Versand durch Amazon|Andere Transaktionsgebühren|Andere|Gesamt"
).split("|")
DATE_RANGE_DE = list(zip(_DE, [k for _, k in DATE_RANGE_UK], strict=True))

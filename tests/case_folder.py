"""Account folders from a few short rows: plain report files as downloaded, and the findings they give, as text.

Product number n is SKU `Sn`, FNSKU `Xn`, ASIN `Bn`. Reports without a row are there with their header only, unless
`full` is false. A finding is `audit|status|event_on|claim_from|claim_by|order_id|reference_id|sku|quantity|unit_value|owed`.
"""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile
from tests.headers import (
    FEE_PREVIEW,
    LEDGER,
    PRODUCTS,
    REIMBURSEMENTS,
    REMOVAL_ORDERS,
    REMOVAL_SHIPMENTS,
    RETURNS,
    STORAGE_FEES,
    V1,
    V2,
)

COLUMNS = [
    "audit",
    "status",
    "event_on",
    "claim_from",
    "claim_by",
    "order_id",
    "reference_id",
    "sku",
    "quantity",
    "unit_value",
    "owed",
]

STORE = {
    "US": ("America/Los_Angeles", "USD", "Amazon.com"),
    "UK": ("Europe/London", "GBP", "Amazon.co.uk"),
    "DE": ("Europe/Berlin", "EUR", "Amazon.de"),
}


def tabbed(header, rows, quote=False):
    q = (lambda v: f'"{v}"') if quote else str
    return (
        "\n".join(
            "\t".join(q(r.get(h, "")) for h in [*header]) if isinstance(r, dict) else r
            for r in [{h: h for h in header}, *rows]
        )
        + "\n"
    )


def commas(header, rows):
    out = io.StringIO()
    w = csv.DictWriter(out, header, lineterminator="\n", restval="")
    w.writeheader()
    w.writerows(rows)
    return out.getvalue()


def iso(day):
    return f"{day}T12:00:00+00:00"


class Folder:
    def __init__(self, market="US", **extra):
        self.market, self.extra = market, extra
        self.zone, self.currency, self.store = STORE[market]
        self.rows = {
            k: []
            for k in [
                "ledger",
                "reimb",
                "returns",
                "orders",
                "ships",
                "preview",
                "storage",
                "products",
                "inbound",
                "receipts",
                "bank",
            ]
        }
        self.settlements = []
        self.columns = 16
        self.full = True  # report files without a row are there too (header only)
        self.v1 = set()
        self.n = 0

    def num(self, v):
        """Money in the words of the store."""
        t = f"{D(str(v)):.2f}"
        return t.replace(".", ",") if self.market == "DE" else t

    def stamp(self, day, clock="12:00:00"):
        y, m, d = str(day).split("-")
        return f"{d}.{m}.{y} {clock} UTC" if self.market == "DE" else f"{day} {clock} UTC"

    def plain(self, day):
        y, m, d = str(day).split("-")
        return f"{d}.{m}.{y}" if self.market == "DE" else str(day)

    def led(self, day, x, qty, reason="M", event="Adjustments", disp="SELLABLE", ref=None, country=None, fc="FC1"):
        self.n += 1
        y, m, d = day.split("-")
        self.rows["ledger"].append(
            {
                "Date": f"{m}/{d}/{y}",
                "FNSKU": f"X{x}",
                "ASIN": f"B{x}",
                "MSKU": f"S{x}",
                "Title": f"Thing {x}",
                "Event Type": event,
                "Reference ID": ref if ref is not None else f"ADJ{self.n}",
                "Quantity": qty,
                "Fulfillment Center": fc,
                "Disposition": disp,
                "Reason": reason if event == "Adjustments" else "",
                "Country": country or {"UK": "GB"}.get(self.market, self.market),
                "Reconciled Quantity": 0,
                "Unreconciled Quantity": abs(qty) if event == "Adjustments" else 0,
                "Date and Time": f"{day}T00:00:00-0800" if self.market == "US" else f"{day}T00:00:00+0100",
                "Store": self.store,
            }
        )
        return self

    def reimb(
        self,
        day,
        rid,
        reason,
        x,
        cash=1,
        each="10.00",
        stock=0,
        order="",
        orig="",
        orig_type="",
        case="",
        sku=None,
        total=None,
        fnsku=None,
    ):
        each = D(str(each)) if cash else D(0)
        whole = D(str(total)) if total is not None else each * abs(cash)
        self.rows["reimb"].append(
            {
                "approval-date": iso(day) if "T" not in day else day,
                "reimbursement-id": rid,
                "case-id": case,
                "amazon-order-id": order,
                "reason": reason,
                "sku": sku or f"S{x}",
                "fnsku": fnsku or f"X{x}",
                "asin": f"B{x}",
                "product-name": f"Thing {x}",
                "condition": "NewItem",
                "currency-unit": self.currency,
                "amount-per-unit": self.num(each),
                "amount-total": self.num(whole),
                "quantity-reimbursed-cash": cash,
                "quantity-reimbursed-inventory": stock,
                "quantity-reimbursed-total": cash + stock,
                "original-reimbursement-id": orig,
                "original-reimbursement-type": orig_type,
            }
        )
        return self

    def ret(self, day, order, x, disp="SELLABLE", reason="UNWANTED_ITEM", qty=1, lpn=None):
        self.n += 1
        self.rows["returns"].append(
            {
                "return-date": iso(day),
                "order-id": order,
                "sku": f"S{x}",
                "asin": f"B{x}",
                "fnsku": f"X{x}",
                "product-name": f"Thing {x}",
                "quantity": qty,
                "fulfillment-center-id": "FC1",
                "detailed-disposition": disp,
                "reason": reason,
                "status": "Unit returned to inventory",
                "license-plate-number": lpn or f"LPN{self.n}",
                "customer-comments": "",
            }
        )
        return self

    def removal(
        self,
        day,
        order,
        x,
        kind="Disposal",
        asked=1,
        cancelled=0,
        disposed=0,
        shipped=0,
        process=0,
        status="Completed",
        updated=None,
        disp="Sellable",
    ):
        self.rows["orders"].append(
            {
                "request-date": iso(day),
                "order-id": order,
                "order-type": kind,
                "service-speed": "Standard",
                "order-status": status,
                "last-updated-date": iso(updated or day),
                "sku": f"S{x}",
                "fnsku": f"X{x}",
                "disposition": disp,
                "requested-quantity": asked,
                "cancelled-quantity": cancelled,
                "disposed-quantity": disposed,
                "shipped-quantity": shipped,
                "in-process-quantity": process,
                "removal-fee": "1.00",
                "currency": self.currency,
            }
        )
        return self

    def shipped(self, day, order, x, qty, tracking="T1", kind="Return", asked=None):
        self.rows["ships"].append(
            {
                "request-date": iso(asked or day),
                "order-id": order,
                "shipment-date": iso(day),
                "sku": f"S{x}",
                "fnsku": f"X{x}",
                "disposition": "Sellable",
                "shipped-quantity": qty,
                "carrier": "UPS",
                "tracking-number": tracking,
                "removal-order-type": kind,
            }
        )
        return self

    def received(self, day, order, x, qty, tracking="T1"):
        self.rows["receipts"].append(
            {
                "order_id": order,
                "tracking_number": tracking,
                "fnsku": f"X{x}",
                "received_on": day,
                "quantity_received": qty,
            }
        )
        return self

    def inbound(self, shipment, x, sent, got, closed="", status="CLOSED"):
        self.rows["inbound"].append(
            {
                "shipment_id": shipment,
                "status": status,
                "closed_on": closed,
                "sku": f"S{x}",
                "fnsku": f"X{x}",
                "quantity_shipped": sent,
                "quantity_received": got,
            }
        )
        return self

    def product(
        self, x, cost="", since="2020-01-01", category="Home and Kitchen", sides=None, weight="", du=None, wu=None
    ):
        a, b, c = sides or ("", "", "")
        du = du or ("in" if self.market == "US" else "cm")
        wu = wu or ("lb" if self.market == "US" else "kg")
        self.rows["products"].append(
            {
                "sku": f"S{x}",
                "fnsku": f"X{x}",
                "asin": f"B{x}",
                "category": category,
                "unit_cost": cost,
                "currency": self.currency,
                "cost_from": since,
                "longest_side": a,
                "median_side": b,
                "shortest_side": c,
                "dimension_unit": du if sides else "",
                "weight": weight,
                "weight_unit": wu if weight else "",
            }
        )
        return self

    def measured(self, x, sides, weight, du=None, wu=None, group="gl_home"):
        du = du or ("inches" if self.market == "US" else "centimeters")
        wu = wu or ("pounds" if self.market == "US" else "kilograms")
        a, b, c = sides
        self.rows["preview"].append(
            {
                "sku": f"S{x}",
                "fnsku": f"X{x}",
                "asin": f"B{x}",
                "product-name": f"Thing {x}",
                "product-group": group,
                "brand": "Invented",
                "fulfilled-by": "Amazon",
                "your-price": "20.00",
                "sales-price": "20.00",
                "longest-side": a,
                "median-side": b,
                "shortest-side": c,
                "length-and-girth": "",
                "unit-of-dimension": du,
                "item-package-weight": weight,
                "unit-of-weight": wu,
                "product-size-tier": "Large standard-size",
                "currency": self.currency,
                "estimated-fee-total": "--",
            }
        )
        return self

    def stored(
        self,
        month,
        x,
        volume,
        qty,
        charged,
        tier="Standard-Size",
        fc="FC1",
        country=None,
        rate="",
        unit="cubic feet",
        total=None,
    ):
        self.rows["storage"].append(
            {
                "asin": f"B{x}",
                "fnsku": f"X{x}",
                "product_name": f"Thing {x}",
                "fulfillment_center": fc,
                "country_code": country or self.market,
                "longest_side": 14,
                "median_side": 10,
                "shortest_side": 4,
                "measurement_units": "inches",
                "weight": "1.00",
                "weight_units": "pounds",
                "item_volume": volume,
                "volume_units": unit,
                "product_size_tier": tier,
                "average_quantity_on_hand": qty,
                "average_quantity_pending_removal": "0.00",
                "estimated_total_item_volume": total or (D(str(volume)) * D(str(qty))),
                "month_of_charge": month,
                "storage_rate": rate,
                "currency": self.currency,
                "estimated_monthly_storage_fee": charged,
                "dangerous_goods_storage_type": "--",
            }
        )
        return self

    def bank(self, day, amount, text="AMAZON SETTLEMENT", ref=""):
        self.rows["bank"].append(
            {"booked_on": day, "amount": amount, "currency": self.currency, "description": text, "reference": ref}
        )
        return self

    def settle(self, sid, start, end, lines, deposit=None, total=None, layout="V2"):
        """`lines`: (transaction type, order, sku, amount type, description, amount, day, quantity, more)."""
        self.settlements.append(
            (sid, start, end, deposit or str(date.fromisoformat(end) + timedelta(days=2)), total, lines, layout)
        )
        return self

    def files(self):
        q = self.rows
        out = {
            "account.yml": "\n".join(
                [
                    "account: case",
                    f"marketplace: {self.market}",
                    f"time_zone: {self.zone}",
                    f"currency: {self.currency}",
                    *[f"{k}: {v}" for k, v in self.extra.items()],
                ]
            )
            + "\n"
        }
        if q["ledger"] or self.full:
            out["reports/ledger.txt"] = tabbed(LEDGER[: self.columns], q["ledger"], quote=True)
        if q["reimb"] or self.full:
            out["reports/reimb.txt"] = tabbed(REIMBURSEMENTS, q["reimb"])
        if q["returns"] or self.full:
            out["reports/returns.txt"] = tabbed(RETURNS, q["returns"])
        if q["orders"] or self.full:
            out["reports/removal-orders.txt"] = tabbed(REMOVAL_ORDERS, q["orders"])
        if q["ships"] or self.full:
            out["reports/removal-shipments.txt"] = tabbed(REMOVAL_SHIPMENTS, q["ships"])
        if q["preview"] or self.full:
            out["reports/preview.txt"] = tabbed(FEE_PREVIEW, q["preview"])
        if q["storage"] or self.full:
            out["reports/storage.txt"] = tabbed(STORAGE_FEES, q["storage"])
        for s in self.settlements:
            out[f"reports/settlement-{s[0]}-{s[6]}.txt"] = (self.v2 if s[6] == "V2" else self.v1_text)(s)
        if q["products"]:
            out["books/products.csv"] = commas(PRODUCTS, q["products"])
        if q["inbound"]:
            out["books/inbound_shipments.csv"] = commas(
                ["shipment_id", "status", "closed_on", "sku", "fnsku", "quantity_shipped", "quantity_received"],
                q["inbound"],
            )
        if q["receipts"]:
            out["books/removal_receipts.csv"] = commas(
                ["order_id", "tracking_number", "fnsku", "received_on", "quantity_received"], q["receipts"]
            )
        if q["bank"]:
            out["books/bank.csv"] = commas(["booked_on", "amount", "currency", "description", "reference"], q["bank"])
        return out

    def head(self, s):
        sid, start, end, deposit, total, lines, _ = s
        total = sum((D(str(line[5])) for line in lines), D(0)) if total is None else D(str(total))
        stamp = self.stamp if s[6] == "V2" else (lambda d: f"{d}T12:00:00+00:00")
        return {
            "settlement-id": sid,
            "settlement-start-date": stamp(start),
            "settlement-end-date": stamp(end),
            "deposit-date": stamp(deposit),
            "total-amount": self.num(total),
            "currency": self.currency,
        }

    def v2(self, s):
        rows = [self.head(s)]
        for kind, order, sku, group, what, amount, day, qty, more in s[5]:
            row = {
                "settlement-id": s[0],
                "transaction-type": kind,
                "order-id": order,
                "marketplace-name": self.store if order else "",
                "amount-type": group,
                "amount-description": what,
                "amount": self.num(amount),
                "fulfillment-id": "AFN" if order else "",
                "posted-date": self.plain(day),
                "posted-date-time": self.stamp(day),
                "sku": sku,
                "quantity-purchased": qty or "",
                "order-item-code": f"I{order}{sku}" if order else "",
                "shipment-id": f"SH{order}" if kind == "Order" else "",
            }
            rows.append(row | more)
        return tabbed(V2, rows)

    def v1_text(self, s):
        rows = [self.head(s)]
        item = None
        for kind, order, sku, group, what, amount, day, qty, more in s[5]:
            base = {
                "settlement-id": s[0],
                "transaction-type": kind,
                "order-id": order,
                "marketplace-name": self.store if order else "",
                "fulfillment-id": "AFN" if order else "",
                "posted-date": f"{day}T12:00:00+00:00",
                "sku": sku,
                "order-item-code": f"I{order}{sku}" if order else "",
                "shipment-id": f"SH{order}" if kind == "Order" else "",
            } | more
            if kind == "Order" and (order, sku, day) != item:
                item = (order, sku, day)
                rows.append(base | {"quantity-purchased": qty or ""})
            cols = {
                "ItemPrice": ("price-type", "price-amount"),
                "ItemFees": ("item-related-fee-type", "item-related-fee-amount"),
                "Promotion": ("promotion-type", "promotion-amount"),
            }
            if group in cols:
                a, b = cols[group]
                rows.append(base | {a: what, b: self.num(amount)})
            else:
                rows.append(
                    base | {"transaction-type": what, "other-amount": self.num(amount), "quantity-purchased": qty or ""}
                )
        return tabbed(V1, rows)

    def write(self, folder):
        folder = Path(folder)
        for name, text in self.files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (folder / "reports").mkdir(parents=True, exist_ok=True)
        return folder


def sale(order, x, day, price, fee=None, fba=None, qty=1, ship=None, promo=None, wrap=None, tax=None, **more):
    """The lines of an order item; `price`, `fee` (commission) and `fba` for all its units, as positive numbers."""
    parts = [
        ("ItemPrice", "Principal", price),
        ("ItemPrice", "Tax", tax),
        ("ItemPrice", "Shipping", ship),
        ("ItemPrice", "GiftWrap", wrap),
        ("Promotion", "Principal", promo),
        ("ItemFees", "Commission", fee and -D(str(fee))),
        ("ItemFees", "FBAPerUnitFulfillmentFee", fba and -D(str(fba))),
    ]
    return [("Order", order, f"S{x}", g, w, a, day, qty, more) for g, w, a in parts if a is not None]


def refund(order, x, day, price, fee=None, kept=None, adj=None, ship=None, **more):
    """A refund's lines: principal `price` given to the buyer, commission `fee` back, `kept` as refund commission (all positive)."""
    more = {"adjustment-id": adj or f"amzn1:crow:{order}{day}", "marketplace-name": more.pop("store", None)} | more
    more = {k: v for k, v in more.items() if v is not None}
    parts = [
        ("ItemPrice", "Principal", -D(str(price))),
        ("ItemPrice", "Shipping", ship and -D(str(ship))),
        ("ItemFees", "Commission", fee),
        ("ItemFees", "RefundCommission", kept and -D(str(kept))),
    ]
    return [("Refund", order, f"S{x}", g, w, a, day, None, more) for g, w, a in parts if a is not None]


def paid(day, what, amount, x=None, order="", qty=1, **more):
    """A settlement line by which Amazon pays (or takes back)."""
    return [
        (
            "other-transaction",
            order,
            f"S{x}" if x else "",
            "FBA Inventory Reimbursement",
            what,
            amount,
            day,
            qty,
            {"marketplace-name": "", "fulfillment-id": ""} | more,
        )
    ]


def other(day, what, amount, group="other-transaction"):
    return [("other-transaction", "", "", group, what, amount, day, None, {})]


def findings(folder, as_of, *audits, columns=COLUMNS):
    """The findings of the day, sorted, as text; only those of `audits` where some are named."""

    def text(value):
        if isinstance(value, D) and value == round(value, 2):
            return f"{value:.2f}"
        return "" if value is None else str(value)

    with tempfile.TemporaryDirectory() as place:
        folder.write(place)
        rows = reconcile(open_account(place, as_of, store=Path(place) / "store")).findings
    found = [r for r in rows.iter_rows(named=True) if not audits or r["audit"] in audits]
    return sorted("|".join(text(row[name]) for name in columns) for row in found)


def lines(text):
    """What is expected, one finding a line."""
    return sorted(line.strip() for line in text.strip().splitlines())

"""Write an account folder: every report in its real format, with the habits of real downloads."""

# ruff: noqa: SIM905  (report columns read better as one text)
from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.headers import LEDGER, REIMBURSEMENTS, RETURNS
from tests.world import money_files
from tests.world.money_files import number
from tests.world.state import World

Rows = list[list[str]]

PEOPLE = ["Quillon Vartabrex", "Ysolde Trempelhoff", "Bramwell Okonjiri", "Zephyrine Duskwallow"]
STREETS = ["17 Invented Lantern Row", "4402 Nowhere Pebble Court", "9 Fabricated Willow Close", "88 Imaginary Quay"]
CITIES = ["Thistlemere Falls", "Port Quibble", "Lower Zandrig", "Vexborough"]
COMMENTS = ["my cousin Ottoline Grebenstock says it hums", "please ring Mr Pettigrane Wusk at the shop"]


def tabbed(rows: Rows, *, quoted: bool = False, encoding: str = "cp1252", final: bool = True, end: str = "\n") -> bytes:
    mark = '"' if quoted else ""
    text = end.join("\t".join(mark + c + mark for c in row) for row in rows)
    return (text + (end if final else "")).encode(encoding)


def sheet(rows: Rows) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def iso(at: object) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")  # type: ignore[attr-defined]


def packed(name: str, content: bytes) -> bytes:
    """A zip without compression: the same bytes whatever zlib is installed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def zipped(content: bytes) -> bytes:
    """A gzip file of stored blocks, for the same reason."""
    out = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
    blocks = [content[i : i + 65535] for i in range(0, len(content), 65535)] or [b""]
    for i, block in enumerate(blocks):
        out += bytes([i == len(blocks) - 1]) + struct.pack("<HH", len(block), 65535 - len(block)) + block
    return out + struct.pack("<II", zlib.crc32(content), len(content))


# --- what Amazon sends --------------------------------------------------------------------------------------------


def ledger(w: World, first: date, last: date, *, later: bool = False, columns: int = 16) -> bytes:
    """`later`: downloaded later, so Amazon's own reconciled numbers have moved on and a title was changed."""
    rows = [LEDGER[:columns]]
    for r in sorted(w.ledger, key=lambda r: r["day"], reverse=True):  # type: ignore[arg-type,return-value]
        day: date = r["day"]  # type: ignore[assignment]
        if not first <= day <= last:
            continue
        offset = datetime(day.year, day.month, day.day, tzinfo=w.zone).strftime("%z")
        count = abs(int(str(r["quantity"]))) if r["reason"] in ("M", "5", "F", "N", "E", "6", "7", "H", "K", "U") else 0
        done = count if later else count // 2
        title = str(r["title"]) + (", new edition" if later and str(r["sku"]).endswith("3") else "")
        rows.append(
            [day.strftime("%m/%d/%Y"), r["fnsku"], r["asin"], r["sku"], title, r["kind"], r["reference"], str(r["quantity"]),
             r["center"], r["disposition"], r["reason"], w.place.country, str(done), str(count - done),
             f"{day.isoformat()}T00:00:00{offset}", w.place.site][:columns]
        )  # fmt: skip
    return tabbed(rows, quoted=True, encoding="utf-8")


def ledger_summary(w: World, first: date, last: date) -> bytes:
    """Balances of the period by FNSKU and disposition, summed from the same movements."""
    head = ["Date", "FNSKU", "ASIN", "MSKU", "Title", "Disposition", "Starting Warehouse Balance", "In Transit Between Warehouses",
            "Receipts", "Customer Shipments", "Customer Returns", "Vendor Returns", "Warehouse Transfer In/Out", "Found", "Lost",
            "Damaged", "Disposed", "Other Events", "Ending Warehouse Balance", "Unknown Events", "Location", "Store"]  # fmt: skip
    columns = {"Receipts": 8, "Shipments": 9, "CustomerReturns": 10, "VendorReturns": 11}
    by_reason = {"F": 13, "N": 13, "M": 14, "5": 14, "D": 16, **dict.fromkeys("E67HKU", 15)}
    sums: dict[tuple[str, str], list[int]] = {}
    names: dict[tuple[str, str], list[str]] = {}
    for r in sorted(w.ledger, key=lambda r: (str(r["fnsku"]), str(r["disposition"]), r["day"])):
        if r["day"] > last:  # type: ignore[operator]
            continue
        key = (str(r["fnsku"]), str(r["disposition"]))
        cells = sums.setdefault(key, [0] * 20)
        names.setdefault(key, [key[0], str(r["asin"]), str(r["sku"]), str(r["title"]), key[1]])
        units = int(str(r["quantity"]))
        cells[18] += units
        column = 6 if r["day"] < first else columns.get(str(r["kind"]), by_reason.get(str(r["reason"]), 17))  # type: ignore[operator]
        cells[column] += units
    rows = [head]
    for key, cells in sums.items():
        rows.append(
            [last.strftime("%m/%d/%Y"), *names[key], *[str(n) for n in cells[6:20]], w.place.country, w.place.site]
        )
    return tabbed(rows, quoted=True, encoding="utf-8")


def reimbursements(w: World, first: date, last: date, columns: int = 18) -> bytes:
    """Newest first, no line end after the last row."""
    rows = [REIMBURSEMENTS[:columns]]
    for r in sorted(w.reimbursements, key=lambda r: r["at"], reverse=True):  # type: ignore[arg-type,return-value]
        if not first <= r["at"].astimezone(w.zone).date() <= last:  # type: ignore[attr-defined]
            continue
        cash, stock = int(str(r["cash"])), int(str(r["stock"]))
        rows.append(
            [iso(r["at"]), r["id"], r["case"], r["order"], r["reason"], r["sku"], r["fnsku"], r["asin"], r["title"], "NewItem",
             w.place.currency, number(w, r["per_unit"]), number(w, r["total"]), str(cash), str(stock), str(cash + stock),
             *r["original"]][:columns]
        )  # type: ignore[arg-type,misc]  # fmt: skip
    return tabbed(rows, final=False)


def returns(w: World, columns: int = 13) -> bytes:
    rows = [RETURNS[:columns]]
    for i, r in enumerate(sorted(w.returns, key=lambda r: r["at"])):  # type: ignore[arg-type,return-value]
        o = r["order"]
        p = o.product  # type: ignore[attr-defined]
        rows.append(
            [iso(r["at"]), o.order_id, p.sku, p.asin, p.fnsku, p.title, str(r["quantity"]), p.center, r["disposition"], r["reason"],
             r["status"], r["plate"], COMMENTS[i % 2] if i % 5 == 0 else ""][:columns]
        )  # type: ignore[attr-defined]  # fmt: skip
    return tabbed(rows)


def removal_orders(w: World) -> bytes:
    head = ("request-date order-id order-source order-type service-speed order-status last-updated-date sku fnsku disposition "
            "requested-quantity cancelled-quantity disposed-quantity shipped-quantity in-process-quantity removal-fee currency").split()  # fmt: skip
    rows = [head]
    for r in sorted(w.removals, key=lambda r: r["at"]):  # type: ignore[arg-type,return-value]
        p = r["product"]
        rows.append(
            [iso(r["at"]), r["order"], "Seller", r["kind"], "Standard", r["status"], iso(r["updated"]), p.sku, p.fnsku, r["disposition"],
             str(r["asked"]), str(r["cancelled"]), str(r["disposed"]), str(r["shipped"]), str(r["waiting"]), number(w, w.dice.cents("1", "4")),
             w.place.currency]
        )  # type: ignore[attr-defined,list-item]  # fmt: skip
    return tabbed(rows)


def removal_shipments(w: World) -> bytes:
    head = ("request-date order-id shipment-date sku fnsku disposition shipped-quantity carrier tracking-number "
            "removal-order-type").split()  # fmt: skip
    rows = [head]
    for r in sorted(w.removal_shipments, key=lambda r: r["at"]):  # type: ignore[arg-type,return-value]
        p = r["product"]
        rows.append([iso(r["asked"]), r["order"], iso(r["at"]), p.sku, p.fnsku, r["disposition"], str(r["units"]), "UPS", r["tracking"], r["kind"]])  # type: ignore[attr-defined,list-item]  # fmt: skip
    return tabbed(rows)


def fee_preview(w: World) -> bytes:
    us = w.place.code == "US"
    if us:
        head = ("sku fnsku asin product-name product-group brand fulfilled-by your-price sales-price longest-side median-side "
                "shortest-side length-and-girth unit-of-dimension item-package-weight unit-of-weight product-size-tier currency "
                "estimated-fee-total estimated-referral-fee-per-unit estimated-variable-closing-fee "
                "estimated-order-handling-fee-per-order estimated-pick-pack-fee-per-unit estimated-weight-handling-fee-per-unit "
                "expected-fulfillment-fee-per-unit").split()  # fmt: skip
    else:
        head = ("sku fnsku asin product-name product-group brand fulfilled-by has-local-inventory your-price sales-price longest-side "
                "median-side shortest-side length-and-girth unit-of-dimension item-package-weight unit-of-weight "
                "product-size-weight-band currency estimated-fee-total estimated-referral-fee-per-unit "
                "estimated-variable-closing-fee expected-domestic-fulfilment-fee-per-unit expected-efn-fulfilment-fee-per-unit-uk "
                "expected-efn-fulfilment-fee-per-unit-de expected-efn-fulfilment-fee-per-unit-fr "
                "expected-efn-fulfilment-fee-per-unit-it expected-efn-fulfilment-fee-per-unit-es").split()  # fmt: skip
    rows = [head]
    for p in w.products:
        a, b, c = (money_files.D(x) for x in p.profile.sides)
        try:
            fee = w.place.fee(p.profile, w.as_of, p.price)
        except KeyError:
            fee = money_files.D("0")
        common = {
            "sku": p.sku, "fnsku": p.fnsku, "asin": p.asin, "product-name": p.title, "product-group": "gl_" + p.category.split()[0].lower(),
            "brand": "Invented", "fulfilled-by": "Amazon", "has-local-inventory": "Yes", "your-price": f"{p.price:.2f}",
            "sales-price": f"{p.price:.2f}", "longest-side": f"{a:.2f}", "median-side": f"{b:.2f}", "shortest-side": f"{c:.2f}",
            "length-and-girth": f"{a + 2 * (b + c):.2f}", "unit-of-dimension": "inches" if us else "centimeters",
            "item-package-weight": f"{money_files.D(p.profile.weight):.2f}", "unit-of-weight": "pounds" if us else "grams",
            "product-size-tier": p.profile.tier, "product-size-weight-band": p.profile.tier, "currency": w.place.currency,
            "estimated-fee-total": "--" if not fee else f"{fee:.2f}", "estimated-referral-fee-per-unit": f"{w.commission(p, p.price):.2f}",
            "estimated-variable-closing-fee": "0.00", "expected-fulfillment-fee-per-unit": f"{fee:.2f}",
            "expected-domestic-fulfilment-fee-per-unit": f"{fee:.2f}",
        }  # fmt: skip
        rows.append([common.get(c, "--") for c in head])
    return tabbed(rows)


def storage_fees(w: World) -> bytes:
    head = ("asin fnsku product_name fulfillment_center country_code longest_side median_side shortest_side measurement_units weight "
            "weight_units item_volume volume_units product_size_tier average_quantity_on_hand average_quantity_pending_removal "
            "estimated_total_item_volume month_of_charge storage_rate currency estimated_monthly_storage_fee "
            "dangerous_goods_storage_type eligible_for_inventory_discount qualifies_for_inventory_discount "
            "total_incentive_fee_amount breakdown_incentive_fee_amount average_quantity_customer_orders").split()  # fmt: skip
    us, rows = w.place.code == "US", [head]
    for r in w.storage:
        p = r["product"]
        volume, average = money_files.D(p.profile.volume), money_files.D(str(r["average"]))  # type: ignore[attr-defined]
        cells = {
            "asin": p.asin, "fnsku": p.fnsku, "product_name": p.title, "fulfillment_center": p.center, "country_code": w.place.country,  # type: ignore[attr-defined]
            "longest_side": p.profile.sides[0], "median_side": p.profile.sides[1], "shortest_side": p.profile.sides[2],  # type: ignore[attr-defined]
            "measurement_units": "inches" if us else "centimeters", "weight": p.profile.weight,  # type: ignore[attr-defined]
            "weight_units": "pounds" if us else "grams", "item_volume": str(volume), "volume_units": "cubic feet",
            "product_size_tier": "Standard-Size", "average_quantity_on_hand": f"{average:.2f}", "average_quantity_pending_removal": "0.00",
            "estimated_total_item_volume": f"{volume * average:.4f}", "month_of_charge": str(r["month"]), "storage_rate": str(r["rate"]),
            "currency": w.place.currency, "estimated_monthly_storage_fee": str(r["charged"]), "dangerous_goods_storage_type": "--",
            "eligible_for_inventory_discount": "No", "qualifies_for_inventory_discount": "No", "total_incentive_fee_amount": "0.00",
        }  # fmt: skip
        rows.append([cells.get(c, "") for c in head])
    return tabbed(rows)


def all_orders(w: World) -> bytes:
    head = ("amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel sales-channel "
            "order-channel url ship-service-level product-name sku asin item-status quantity currency item-price item-tax "
            "shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount ship-promotion-discount ship-city "
            "ship-state ship-postal-code ship-country promotion-ids is-business-order purchase-order-number price-designation ").split(" ")  # fmt: skip
    head = [*head[:-2], "price-designation "]  # a blank stands before the line end
    rows = [head]
    for i, o in enumerate(sorted(w.orders, key=lambda o: o.at)):
        p = o.product
        rows.append(
            [o.order_id, o.order_id, iso(o.at - timedelta(hours=30)), iso(o.at), "Shipped", "Amazon" if o.fba else "Merchant", w.place.site,
             "", "", "Expedited", p.title, p.sku, p.asin, "Shipped", str(o.quantity), w.place.currency, number(w, o.price * o.quantity), "0.00",
             number(w, o.shipping), "", "", "", "", "", CITIES[i % 4], "", f"0{1234 + i % 7}", w.place.country, "", "false", "", ""]
        )  # fmt: skip
    return tabbed(rows, end="\r\n", encoding="utf-8")


def fulfilled_shipments(w: World, first: date, last: date) -> bytes:
    head = ("amazon-order-id merchant-order-id shipment-id shipment-item-id amazon-order-item-id merchant-order-item-id purchase-date "
            "payments-date shipment-date reporting-date buyer-email buyer-name buyer-phone-number sku product-name quantity-shipped "
            "currency item-price item-tax shipping-price shipping-tax gift-wrap-price gift-wrap-tax ship-service-level recipient-name "
            "ship-address-1 ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country ship-phone-number "
            "bill-address-1 bill-address-2 bill-address-3 bill-city bill-state bill-postal-code bill-country item-promotion-discount "
            "ship-promotion-discount carrier tracking-number estimated-arrival-date fulfillment-center-id fulfillment-channel "
            "sales-channel").split()  # fmt: skip
    rows = [head]
    for i, o in enumerate(sorted(w.orders, key=lambda o: o.at)):
        if not first <= o.day <= last or not o.fba:
            continue
        p, person = o.product, PEOPLE[i % 4]
        cells = {
            "amazon-order-id": o.order_id, "merchant-order-id": o.order_id, "shipment-id": "D" + o.item[:8], "shipment-item-id": "D" + o.item[3:12],
            "amazon-order-item-id": o.item, "purchase-date": iso(o.at - timedelta(hours=30)), "payments-date": iso(o.at),
            "shipment-date": iso(o.at), "reporting-date": iso(o.at), "buyer-email": email(person), "buyer-name": person,
            "buyer-phone-number": phone(i), "sku": p.sku, "product-name": p.title, "quantity-shipped": str(o.quantity),
            "currency": w.place.currency, "item-price": number(w, o.price * o.quantity), "ship-service-level": "Expedited",
            "recipient-name": person, "ship-address-1": STREETS[i % 4], "ship-city": CITIES[i % 4], "ship-country": w.place.country,
            "ship-postal-code": f"0{1234 + i % 7}", "bill-address-1": STREETS[i % 4], "bill-city": CITIES[i % 4],
            "carrier": "UPS", "fulfillment-center-id": p.center, "fulfillment-channel": "AFN", "sales-channel": w.place.site,
        }  # fmt: skip
        rows.append([cells.get(c, "") for c in head])
    return tabbed(rows, encoding="utf-8")


def email(person: str) -> str:
    return person.lower().replace(" ", ".") + "@marketplace-mail.example"


def phone(i: int) -> str:
    return f"+1 555-0100 ext. 77{i % 4}13"


def secrets() -> list[str]:
    """Every invented buyer fact of the files: none of them may reach a packet."""
    return [*PEOPLE, *STREETS, *CITIES, *COMMENTS, *[email(p) for p in PEOPLE], *[phone(i) for i in range(4)]]


# --- Amazon Pay -----------------------------------------------------------------------------------------------------


def pay_settlement(w: World, file: dict[str, object]) -> bytes:
    def when(at: object) -> str:
        return at.astimezone(w.zone).strftime("%Y-%m-%dT%H:%M:%S %z")  # type: ignore[attr-defined]

    pre = ['"Amazon Payments Advanced",', '"Settlement Report"', '"SellerId","A1INVENTED7SHOP"',
           f'"SettlementStartDate","{when(file["start"])}"', f'"SettlementEndDate","{when(file["end"])}"']  # fmt: skip
    head = ("TransactionPostedDate SettlementId AmazonTransactionId SellerReferenceId TransactionType AmazonOrderReferenceId "
            "SellerOrderId StoreName CurrencyCode TransactionDescription TransactionAmount TransactionPercentageFee "
            "TransactionFixedFee TotalTransactionFee NetTransactionAmount").split()  # fmt: skip
    out = [*pre, ",".join(f'"{c}"' for c in head) + ","]
    for r in file["rows"]:  # type: ignore[attr-defined]
        fees = r["share"] + r["fixed"]
        cells = [when(r["at"]), file["number"], r["tx"], r["ref"], r["kind"], r["oro"], r["shop"], "", w.place.currency, r["note"],
                 f"{r['amount']:.2f}", str(r["share"]), str(r["fixed"]), str(fees), f"{r['amount'] + fees:.2f}"]  # fmt: skip
        out.append(",".join(f'"{c}"' for c in cells))
    return b"\xef\xbb\xbf" + ("\n".join(out) + "\n").encode()


def pay_captures(w: World, first: date, last: date) -> bytes:
    """The capture report: one row a state, with the buyer's columns."""
    head = ("AmazonCaptureId CaptureReferenceId AmazonAuthorizationId AmazonOrderReferenceId CaptureAmount CurrencyCode "
            "SellerCaptureNote CaptureStatus LastUpdateTimestamp ReasonCode CreationTimestamp BuyerName BuyerEmailAddress "
            "BillingAddressLine1 BillingAddressLine2 BillingAddressLine3 BillingAddressCity BillingAddressDistrictOrCounty "
            "BillingAddressStateOrRegion BillingAddressPostalCode BillingAddressCountryCode").split()  # fmt: skip
    rows = [head]
    for i, f in enumerate(w.pay_files):
        for r in f["rows"]:  # type: ignore[attr-defined]
            if r["kind"] != "Capture" or not first <= f["day"] <= last:  # type: ignore[operator]
                continue
            at = r["at"].astimezone(w.zone).strftime("%Y-%m-%dT%H:%M:%S %z")
            who = PEOPLE[i % 4]
            rows.append([r["tx"], r["ref"], r["tx"].replace("-C", "-A"), r["oro"], f"{r['amount']:.2f}", w.place.currency, "", "Completed",
                         at, "", at, who, email(who), STREETS[i % 4], "", "", CITIES[i % 4], "", "", "01234", w.place.country])  # fmt: skip
    return "\n".join(",".join(f'"{c}"' for c in r) for r in rows).encode() + b"\n"


def pay_refunds(w: World, first: date, last: date) -> bytes:
    """The refund report: Completed and Pending of the same refund."""
    head = ("AmazonRefundId RefundReferenceId AmazonCaptureId AmazonOrderReferenceId RefundAmount CurrencyCode SellerRefundNote "
            "RefundType RefundStatus LastUpdateTimestamp ReasonCode CreationTimestamp").split()  # fmt: skip
    rows = [head]
    for f in w.pay_files:
        for r in f["rows"]:  # type: ignore[attr-defined]
            if r["kind"] != "Refund" or not first <= f["day"] <= last:  # type: ignore[operator]
                continue
            at = r["at"].astimezone(w.zone).strftime("%Y-%m-%dT%H:%M:%S %z")
            for state in ("Completed", "Pending"):
                rows.append([r["tx"], r["ref"], r["oro"] + "-C000001", r["oro"], f"{-r['amount']:.2f}", w.place.currency, "", "SellerInitiated",
                             state, at, "", at])  # fmt: skip
    return "\n".join(",".join(f'"{c}"' for c in r) for r in rows).encode() + b"\n"


# --- the seller's books ---------------------------------------------------------------------------------------------


def books(w: World, end: date) -> dict[str, bytes]:
    us = w.place.code == "US"
    products: Rows = ["sku,fnsku,asin,category,unit_cost,currency,cost_from,longest_side,median_side,shortest_side,dimension_unit,weight,weight_unit".split(",")]  # fmt: skip
    for p in w.products:
        for first, cost in p.costs:
            products.append([p.sku, p.fnsku, p.asin, p.category, f"{cost:.2f}", w.place.currency, first.isoformat(), *p.own.sides,
                             "in" if us else "cm", p.own.weight, "lb" if us else "g"])  # fmt: skip
    activity: Rows = [
        "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency".split(
            ","
        )
    ]
    for r in w.pay.get("activities", []):
        at = r["at"].astimezone(w.zone).isoformat(timespec="seconds")  # type: ignore[attr-defined]
        activity.append(
            [
                at,
                str(r["kind"]),
                str(r["tx"]),
                str(r["ref"]),
                str(r["shop"]),
                str(r["oro"]),
                f"{r['amount']:.2f}",
                w.place.currency,
            ]
        )
    inbound: Rows = ["shipment_id,status,closed_on,sku,fnsku,quantity_shipped,quantity_received".split(",")]
    for r in w.inbound:
        p = r["product"]  # type: ignore[assignment]
        inbound.append([str(r["shipment"]), str(r["status"]), r["closed"].isoformat() if r["closed"] else "", p.sku, p.fnsku,  # type: ignore[attr-defined]
                        str(r["shipped"]), str(r["received"])])  # fmt: skip
    receipts: Rows = ["order_id,tracking_number,fnsku,received_on,quantity_received".split(",")]
    for r in w.receipts:
        receipts.append([str(r["order"]), str(r["tracking"]), r["product"].fnsku, r["on"].isoformat(), str(r["units"])])  # type: ignore[attr-defined]
    bank: Rows = ["booked_on,amount,currency,description,reference".split(",")]
    for r in sorted(w.bank, key=lambda r: (r["on"], r["text"], r["reference"])):
        if r["on"] <= end:  # type: ignore[operator]
            bank.append(
                [r["on"].isoformat(), f"{r['amount']:.2f}", w.place.currency, str(r["text"]), str(r["reference"])]
            )  # type: ignore[attr-defined]
    return {"products.csv": sheet(products), "pay_activity.csv": sheet(activity), "inbound_shipments.csv": sheet(inbound),
            "removal_receipts.csv": sheet(receipts), "bank.csv": sheet(bank)}  # fmt: skip


def account_yml(w: World) -> bytes:
    lines = [
        f"account: {w.account}", f"marketplace: {w.place.code}", f"time_zone: {w.place.zone}", f"currency: {w.place.currency}",
        f"currencies: [{w.place.currency}]",
        "match_keys: [AmazonTransactionId, SellerReferenceId, SellerOrderId, AmazonOrderReferenceId]",
        "pay_fees:",
        f"  - {{currency: {w.place.currency}, from: 2020-01-01, percentage: 2.9, fixed: 0.30, refund_percentage_returned: false, "
        "refund_fixed_returned: false, dispute: 20.00}",
        'bank_pattern: "AMAZON (SETTLEMENT|PAYMENTS)"',
    ]  # fmt: skip
    if w.place.code == "DE":
        lines.append("cep_enrolled: true")
    return ("\n".join(lines) + "\n").encode()


def truth_csv(w: World) -> bytes:
    head = "audit,status,event_on,claim_from,claim_by,order_id,reference_id,sku,fnsku,asin,quantity,owed,currency,note".split(
        ","
    )
    rows: Rows = [head]
    for t in w.truth:
        rows.append(["*" if (v := getattr(t, c)) is None else f"{v}" for c in head])
    return sheet([rows[0], *sorted(rows[1:])])


def decoys_csv(w: World) -> bytes:
    rows = sorted([d.audit, d.ids, d.note] for d in w.decoys)
    return sheet([["audit", "ids", "note"], *rows])


def save(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

"""The simulated seller: what happened, told as the rows of Amazon's reports and of the seller's books, and what is owed.

Every method makes one thing happen and writes it down wherever reality would: a sale is a ledger row, an order row and
settlement lines; a return is a returns row and a ledger row. The truth of what must be reported is written down at the
moment a wrong is done, with the arithmetic of that wrong. Nothing of the library is used here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.world.dice import Dice
from tests.world.places import D, Place, Profile, cents

NONE = D("0.00")


@dataclass
class Product:
    sku: str
    fnsku: str
    asin: str
    title: str
    category: str
    price: Decimal
    costs: list[tuple[date, Decimal]]
    profile: Profile  # as Amazon measured it
    own: Profile  # as the seller measured it
    center: str
    rate: Decimal

    def cost(self, day: date) -> Decimal:
        return next(cost for first, cost in reversed(self.costs) if first <= day)


@dataclass
class Order:
    order_id: str
    item: str
    product: Product
    quantity: int
    price: Decimal  # one unit
    commission: Decimal  # whole line, positive
    fee: Decimal  # fulfilment fee of one unit, positive
    day: date
    at: datetime
    shipping: Decimal = NONE
    fba: bool = True

    @property
    def unit_value(self) -> Decimal:
        """What one unit of this order is worth to the seller after Amazon's fees."""
        return cents(self.price - self.commission / self.quantity - self.fee)


@dataclass
class Truth:
    """One finding that must be reported. None = the column is not compared; "~text" = the column must contain it."""

    audit: str
    status: str
    event_on: date | None = None
    claim_from: date | str | None = None
    claim_by: date | str | None = None
    order_id: str | None = None
    reference_id: str | None = None
    sku: str | None = None
    fnsku: str | None = None
    asin: str | None = None
    quantity: int | None = None
    owed: Decimal | str | None = None
    currency: str | None = None
    note: str = ""


@dataclass
class Decoy:
    audit: str
    ids: str
    note: str


@dataclass
class Line:
    """One settlement line, in the words of the V2 layout."""

    at: datetime
    kind: str
    amount_type: str
    what: str
    amount: Decimal
    order_id: str = ""
    adjustment: str = ""
    shipment: str = ""
    site: str = ""
    fulfilment: str = ""
    item: str = ""
    sku: str = ""
    quantity: int | None = None
    group: int = 0
    dropped: bool = False  # counted in the total but missing from the file


SETTLED_AS = {
    "Lost_Warehouse": "WAREHOUSE_LOST",
    "Damaged_Warehouse": "WAREHOUSE_DAMAGE",
    "Lost_Inbound": "MISSING_FROM_INBOUND",
    "Damaged_Inbound": "INBOUND_CARRIER_DAMAGE",
    "CustomerReturn": "REVERSAL_REIMBURSEMENT",
    "CustomerServiceIssue": "CS_ERROR_ITEMS",
    "Fee_Correction": "INCORRECT_FEES_ITEMS",
    "Reimbursement_Reversal": "COMPENSATED_CLAWBACK",
    "REMOVAL_ORDER_LOST": "REMOVAL_ORDER_LOST",
    "GeneralAdjustment": "RE_EVALUATION",
}


@dataclass
class World:
    place: Place
    as_of: date
    start: date
    seed: int
    account: str = "demo"
    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    ledger: list[dict[str, object]] = field(default_factory=list)
    reimbursements: list[dict[str, object]] = field(default_factory=list)
    returns: list[dict[str, object]] = field(default_factory=list)
    removals: list[dict[str, object]] = field(default_factory=list)
    removal_shipments: list[dict[str, object]] = field(default_factory=list)
    receipts: list[dict[str, object]] = field(default_factory=list)
    inbound: list[dict[str, object]] = field(default_factory=list)
    storage: list[dict[str, object]] = field(default_factory=list)
    bank: list[dict[str, object]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    pay: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    pay_files: list[dict[str, object]] = field(default_factory=list)
    settlements: list[dict[str, object]] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    decoys: list[Decoy] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = Dice(self.seed)
        self.zone = ZoneInfo(self.place.zone)
        self.groups = 0

    # --- small helpers ------------------------------------------------------------------------------------------

    def day(self, age: int) -> date:
        """The day `age` days before the as-of day."""
        return self.as_of - timedelta(days=age)

    def at(self, day: date, hour: int | None = None, minute: int | None = None) -> datetime:
        """A moment of `day` as the account's clock tells it, in UTC. Any hour: the UTC day may be the next or the last."""
        dice = self.dice
        local = datetime(
            day.year, day.month, day.day,
            dice.between(3, 23) if hour is None else hour, dice.between(0, 59) if minute is None else minute,
            dice.between(0, 59), tzinfo=self.zone,
        )  # fmt: skip
        return local.astimezone(UTC)

    def unique(self, make: str, *args: int) -> str:
        while True:
            text = str(getattr(self.dice, make)(*args))
            if text not in self.used:
                self.used.add(text)
                return text

    def order_id(self) -> str:
        return (
            f"{self.place.order_prefix}{self.dice.between(1, 9)}-{self.unique('digits', 7)}-{self.unique('digits', 7)}"
        )

    def reference(self) -> str:
        return self.unique("digits", 12)

    def reimbursement_id(self) -> str:
        return "19" + self.unique("digits", 9)

    def expect(self, truth: Truth) -> None:
        self.truth.append(truth)

    def decoy(self, audit: str, ids: str, note: str) -> None:
        self.decoys.append(Decoy(audit, ids, note))

    def claim(self, claim: str, anchor: date, *, wait: int = 0) -> dict[str, object]:
        """Status and window of a claim that counts from `anchor`; `wait`: days Amazon has to act by itself."""
        first, last = self.place.window(claim, anchor, self.as_of)
        opens = max(first, anchor + timedelta(wait))
        status = "waiting" if self.as_of < opens else "expired" if self.as_of > last else "claimable"
        return {"status": status, "claim_from": first, "claim_by": last}

    def wait_for_stock(self, *, found: bool = True) -> int:
        """Days a loss in a warehouse waits: Amazon pays by itself, or (before that) may still find it (`found`: it can be found)."""
        if self.as_of >= self.place.automatic_from:
            return 10
        return 30 if found else 0

    # --- stock --------------------------------------------------------------------------------------------------

    def move(
        self, product: Product, day: date, kind: str, quantity: int, *, reference: str = "", reason: str = "",
        disposition: str = "SELLABLE", sku: str | None = None, fnsku: str | None = None, center: str | None = None,
    ) -> None:  # fmt: skip
        self.ledger.append(
            {
                "day": day, "fnsku": fnsku or product.fnsku, "asin": product.asin, "sku": sku or product.sku,
                "title": product.title, "kind": kind, "reference": reference, "quantity": quantity,
                "center": center or product.center, "disposition": disposition, "reason": reason,
            }
        )  # fmt: skip

    def receive(self, product: Product, day: date, quantity: int, *, shipment: str | None = None) -> str:
        """A clean shipment to Amazon: shipped, received and closed in full."""
        shipment = shipment or "FBA15" + self.unique("letters", 7)
        self.move(product, day, "Receipts", quantity, reference=shipment)
        self.inbound.append(
            {"shipment": shipment, "status": "CLOSED", "closed": day + timedelta(9), "product": product,
             "shipped": quantity, "received": quantity}
        )  # fmt: skip
        return shipment

    # --- sales --------------------------------------------------------------------------------------------------

    def line(self, at: datetime, kind: str, amount_type: str, what: str, amount: Decimal, **more: object) -> Line:
        line = Line(at, kind, amount_type, what, amount, **more)  # type: ignore[arg-type]
        self.lines.append(line)
        return line

    def commission(self, product: Product, base: Decimal) -> Decimal:
        return cents(base * product.rate)

    def sell(
        self, product: Product, day: date, quantity: int = 1, *, price: Decimal | None = None, fee: Decimal | None = None,
        commission: Decimal | None = None, shipping: Decimal = NONE, fba: bool = True, stock: bool = True,
    ) -> Order:  # fmt: skip
        place = self.place
        price = product.price if price is None else price
        if fee is None:
            try:
                fee = place.fee(product.profile, day, price)
            except KeyError:
                fee = D("3.00")  # a day without a published card: whatever is charged, nothing can be claimed
        base = price * quantity + shipping
        commission = self.commission(product, base) if commission is None else commission
        at = self.at(day)
        order = Order(
            self.order_id(),
            self.unique("digits", 15),
            product,
            quantity,
            price,
            commission,
            fee,
            day,
            at,
            shipping,
            fba,
        )
        self.orders.append(order)
        self.groups += 1
        about = {
            "order_id": order.order_id, "shipment": self.dice.letters(9), "site": place.site, "item": order.item,
            "fulfilment": "AFN" if fba else "MFN", "sku": product.sku, "quantity": quantity, "group": self.groups,
        }  # fmt: skip
        tax = cents(base * D("0.07")) if place.code == "US" else D("0.00")
        self.line(at, "Order", "ItemPrice", "Principal", price * quantity, **about)
        if tax:
            self.line(at, "Order", "ItemPrice", "Tax", tax, **about)
            self.line(at, "Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", -tax, **about)
        if shipping:
            self.line(at, "Order", "ItemPrice", "Shipping", shipping, **about)
        self.line(at, "Order", "ItemFees", "Commission", -commission, **about)
        if fba:
            self.line(at, "Order", "ItemFees", "FBAPerUnitFulfillmentFee", -fee * quantity, **about)
            if stock:
                self.move(product, day, "Shipments", -quantity, reference=order.order_id)
        return order

    def refund(
        self, order: Order, day: date, *, principal: Decimal | None = None, kept: Decimal | None = None,
        back: Decimal | None = None,
    ) -> Decimal:  # fmt: skip
        """Refund an order line (all of it unless `principal` says less); returns the commission that was due back net."""
        place, at = self.place, self.at(day)
        charged = order.price * order.quantity
        principal = charged if principal is None else principal
        share = principal / charged
        given = cents(order.commission * share) if back is None else back
        rate, cap = place.refund_kept or (D("0.20"), D("5.00"))
        normal = cents(min(cap, order.commission * rate) * min(share, D(1)))
        self.groups += 1
        about = {
            "order_id": order.order_id, "adjustment": "amzn1:crow:" + self.dice.letters(22), "site": place.site,
            "item": order.item, "fulfilment": "AFN" if order.fba else "MFN", "sku": order.product.sku, "group": self.groups,
        }  # fmt: skip
        self.line(at, "Refund", "ItemPrice", "Principal", -principal, **about)
        tax = cents(principal * D("0.07")) if place.code == "US" else D("0.00")
        if tax:
            self.line(at, "Refund", "ItemPrice", "Tax", -tax, **about)
            self.line(at, "Refund", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", tax, **about)
        self.line(at, "Refund", "ItemFees", "Commission", given, **about)
        self.line(at, "Refund", "ItemFees", "RefundCommission", -(normal if kept is None else kept), **about)
        return cents(order.commission * share) - normal

    def give_back(
        self, order: Order, day: date, quantity: int = 1, *, disposition: str = "SELLABLE", reason: str = "UNWANTED_ITEM",
        restock: int | None = 1, status: str = "Unit returned to inventory",
    ) -> str:  # fmt: skip
        """A unit comes back to a warehouse; `restock`: days until the ledger shows it, None = never. Returns the LPN."""
        plate = "LPNRR" + self.unique("letters", 9)
        self.returns.append(
            {"at": self.at(day), "order": order, "quantity": quantity, "disposition": disposition, "reason": reason,
             "status": status, "plate": plate}
        )  # fmt: skip
        if restock is not None:
            self.move(
                order.product, day + timedelta(restock), "CustomerReturns", quantity, reference=order.order_id,
                disposition={"DAMAGED": "WAREHOUSE_DAMAGED"}.get(disposition, disposition),
            )  # fmt: skip
        return plate

    # --- reimbursements -----------------------------------------------------------------------------------------

    def pay_back(
        self, product: Product, day: date, reason: str, per_unit: Decimal, *, cash: int = 1, stock: int = 0,
        order: Order | None = None, settled: tuple[tuple[int, Decimal], ...] | None = None, reimbursement: str | None = None,
        sku: str | None = None, fnsku: str | None = None, original: tuple[str, str] = ("", ""), listed: bool = True,
        found_row: bool = True,
    ) -> str:  # fmt: skip
        """A reimbursement; `settled`: (days after approval, amount) of its settlement lines, default one line of it all."""
        number = reimbursement or self.reimbursement_id()
        at, total = self.at(day), per_unit * cash
        if listed:
            self.reimbursements.append(
                {"at": at, "id": number, "case": self.dice.digits(11) if self.dice.chance(30) else "",
                 "order": order.order_id if order else "", "reason": reason, "sku": sku or product.sku,
                 "fnsku": fnsku or product.fnsku, "asin": product.asin, "title": product.title, "per_unit": per_unit,
                 "total": total, "cash": cash, "stock": stock, "original": original}
            )  # fmt: skip
        if stock > 0 and found_row:  # the ledger shows the unit that came back instead of money
            self.move(product, day, "Adjustments", stock, reason="N", reference=self.reference(),
                      sku=sku, fnsku=fnsku)  # fmt: skip
        if settled is None:
            settled = ((self.dice.between(1, 4), total),) if total else ()
        for wait, amount in settled:
            self.line(
                self.at(day + timedelta(wait)), "other-transaction", "FBA Inventory Reimbursement", SETTLED_AS[reason], amount,
                order_id=order.order_id if order else "", sku=sku or product.sku, quantity=abs(cash) if len(settled) == 1 else None,
                adjustment="amzn1:crow:" + self.dice.letters(22) if order else "",
            )  # fmt: skip
        return number

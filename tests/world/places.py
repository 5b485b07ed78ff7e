"""The marketplaces of the simulator: how they write, what they charge, how long a claim may wait.

Written out by hand from the policy notes, so that the planted truth does not lean on the library's own tables.
Each product profile was chosen away from every border; its fee is the card's figure for that one parcel.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

D = Decimal


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.01"), rounding=ROUND_HALF_UP)


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Profile:
    """A parcel: sides, weight, size tier as Amazon words it, volume in cubic feet, and (from, to, low, high, fee) rows."""

    name: str
    sides: tuple[str, str, str]
    weight: str
    tier: str
    volume: str
    fees: tuple[tuple[str, str, str, str, str], ...]


# from, to, price from, price to, fee. Sources: the card of the period, peak 15 October to 14 January.
_LIGHT = Profile(
    "light", ("8", "5", "2"), "0.70", "Large standard-size", "0.0463",
    (
        ("2024-04-15", "2024-10-14", "10", "9999", "4.15"),
        ("2025-01-15", "2025-10-14", "10", "9999", "4.15"),
        ("2025-10-15", "2026-01-14", "10", "9999", "4.43"),
        ("2026-01-15", "2026-10-14", "10", "50", "4.20"),
        ("2026-01-15", "2026-10-14", "50.01", "9999", "4.46"),
    ),
)  # fmt: skip
_FLAT = Profile(
    "flat", ("9", "6", "0.6"), "0.45", "Small standard-size", "0.0188",
    (
        ("2024-04-15", "2024-10-14", "10", "9999", "3.33"),
        ("2025-01-15", "2025-10-14", "10", "9999", "3.33"),
        ("2025-10-15", "2026-01-14", "10", "9999", "3.53"),
        ("2026-01-15", "2026-10-14", "10", "50", "3.54"),
        ("2026-01-15", "2026-10-14", "50.01", "9999", "3.80"),
    ),
)  # fmt: skip
_MEDIUM = Profile(
    "medium", ("12", "9", "2"), "1.80", "Large standard-size", "0.1250",
    (
        ("2024-04-15", "2024-10-14", "10", "9999", "5.77"),
        ("2025-01-15", "2025-10-14", "10", "9999", "5.77"),
        ("2025-10-15", "2026-01-14", "10", "9999", "6.10"),
        ("2026-01-15", "2026-10-14", "10", "50", "5.82"),
        ("2026-01-15", "2026-10-14", "50.01", "9999", "6.08"),
    ),
)  # fmt: skip
# 4.6 lb is 1.6 lb = 25.6 oz above 3 lb: 7 steps of 4 oz at 0.08 = 0.56 on top of the base.
_HEAVY = Profile(
    "heavy", ("14", "10", "4"), "4.60", "Large standard-size", "0.3241",
    (
        ("2024-04-15", "2024-10-14", "10", "9999", "7.48"),
        ("2025-01-15", "2025-10-14", "10", "9999", "7.48"),
        ("2025-10-15", "2026-01-14", "10", "9999", "8.02"),
        ("2026-01-15", "2026-10-14", "10", "50", "7.53"),
        ("2026-01-15", "2026-10-14", "50.01", "9999", "7.79"),
    ),
)  # fmt: skip


def _metric(name: str, sides: tuple[str, str, str], grams: str, tier: str, volume: str, fee: str) -> Profile:
    return Profile(name, sides, grams, tier, volume, (("2026-07-01", "2026-10-14", "20.01", "9999", fee),))


@dataclass(frozen=True)
class Place:
    """One marketplace. `surcharge`: first day and fraction of the fuel surcharge; `refund_kept`: share and cap, or None."""

    code: str
    currency: str
    zone: str
    site: str
    country: str
    order_prefix: str
    pay_prefix: str
    comma: bool
    profiles: tuple[Profile, ...]
    rate: Decimal
    category: str
    odd_categories: tuple[
        tuple[str, str, str, str], ...
    ]  # category, price, right commission, why it is easily misjudged
    surcharge: tuple[str, str]
    refund_kept: tuple[Decimal, Decimal] | None
    sourcing_from: date
    new_windows_from: date
    automatic_from: date
    return_days: tuple[int, int]
    inbound_months: int
    storage: tuple[Decimal, Decimal] | None  # January-September, October-December, a cubic foot
    centers: tuple[str, ...]

    def fee(self, profile: Profile, day: date, price: Decimal) -> Decimal:
        """Card fee of one unit on `day`, surcharge included; KeyError where the simulator knows no row."""
        text = day.isoformat()
        for first, last, low, high, fee in profile.fees:
            if first <= text <= last and D(low) <= price <= D(high):
                more = D(self.surcharge[1]) if text >= self.surcharge[0] else D(0)
                return cents(D(fee) * (1 + more))
        raise KeyError((self.code, profile.name, text, price))

    def window(self, claim: str, event: date, as_of: date) -> tuple[date, date]:
        """First and last day of the claim window of `event` for a claim filed on `as_of`."""
        new = as_of >= self.new_windows_from
        if claim == "fc":
            return event, event + timedelta(60) if new else add_months(event, 18)
        if claim == "return":
            first, last = self.return_days if new else (45, 0)
            return event + timedelta(first), event + timedelta(last) if new else add_months(event, 18)
        if claim == "removal":
            return event + timedelta(15 if new else 14), event + timedelta(75) if new else add_months(event, 18)
        if claim == "inbound":
            return event, add_months(event, self.inbound_months)
        return event, event + timedelta({"fee": 90, "value": 60}[claim])


US = Place(
    "US", "USD", "America/Los_Angeles", "Amazon.com", "US", "11", "P01", False, (_LIGHT, _FLAT, _MEDIUM, _HEAVY), D("0.15"),
    "Home and Kitchen",
    (
        ("Clothing and Accessories", "15.00", "0.75", "at the band's upper edge the lower rate still holds"),
        ("Clothing and Accessories", "20.00", "2.00", "at the band's upper edge the lower rate still holds"),
        ("Furniture", "300.00", "40.00", "200 at 15 % and the rest at 10 %"),
        ("Jewelry", "400.00", "57.50", "250 at 20 % and the rest at 5 %"),
        ("Grocery and Gourmet", "15.00", "1.20", "8 % up to and including 15"),
    ),
    ("2026-04-17", "0.035"), (D("0.20"), D("5.00")), date(2025, 3, 31), date(2024, 10, 23), date(2024, 11, 1), (60, 120), 9,
    (D("0.78"), D("2.40")), ("LAX9", "PHX7", "MDW2"),
)  # fmt: skip

UK = Place(
    "UK", "GBP", "Europe/London", "Amazon.co.uk", "GB", "20", "P02", False,
    (
        _metric("flat", ("30", "20", "2"), "200", "Standard envelope", "0.0424", "2.10"),
        _metric("light", ("25", "20", "10"), "900", "Small parcel", "0.1766", "3.05"),
        _metric("medium", ("40", "30", "20"), "3100", "Standard parcel", "0.8476", "3.56"),
    ),
    D("0.15"), "Kitchen",
    (
        ("Clothing and Accessories", "20.00", "2.00", "at the band's upper edge the lower rate still holds"),
        ("Baby Products", "25.00", "3.75", "15 % above 10"),
    ),
    ("2026-04-17", "0.015"), None, date(2025, 3, 31), date(2025, 1, 9), date(2025, 1, 15), (45, 105), 6,
    None, ("BHX4", "LTN1"),
)  # fmt: skip

DE = Place(
    "DE", "EUR", "Europe/Berlin", "Amazon.de", "DE", "30", "P02", True,
    (
        _metric("flat", ("30", "20", "2"), "200", "Standardumschlag", "0.0424", "2.31"),
        _metric("light", ("25", "20", "10"), "900", "Kleines Paket", "0.1766", "3.15"),
        _metric("medium", ("40", "30", "20"), "3100", "Standardpaket", "0.8476", "4.96"),
    ),
    D("0.15"), "Beauty",
    (
        ("Handmade (alle Kategorien)", "30.00", "3.60", "12 % flat"),
        ("Schmuck", "300.00", "52.50", "250 at 20 % and the rest at 5 %"),
    ),
    ("2026-04-17", "0.015"), (D("0.20"), D("5.00")), date(2025, 3, 10), date(2025, 1, 9), date(2025, 1, 15), (45, 105), 6,
    None, ("LEJ1", "DUS2"),
)  # fmt: skip

PLACES = {place.code: place for place in (US, UK, DE)}

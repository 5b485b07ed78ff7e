"""Monthly storage fees against volume x average quantity x rate of the month and size class."""

from __future__ import annotations

import polars as pl

from recon_lib import frames
from recon_lib.audits.evidence import PLACE, findings, occurrence, words
from recon_lib.audits.fee_common import STORAGE, is_dangerous
from recon_lib.books import Books
from recon_lib.measures import exact, volume
from recon_lib.money import MONEY, RATE, money_text, round_money_expr
from recon_lib.policy import Policy, holds_on
from recon_lib.referral import category_key

_KEY = ["month_on", "asin", "fnsku", "fulfillment_center", "country", "size_tier", "currency", "estimated_fee"]
_COUNTRIES = {"GB": "UK"}


def storage(books: Books, policy: Policy, unchecked: list[tuple[str, str, str, int | None]]) -> pl.DataFrame:
    """frames.RawFinding: one charge of one ASIN in one centre and month above the rate, the last day of the month its day.

    The report's own utilisation surcharge is allowed where it is a step of the table. A rate on the report that is such a step
    without saying so is left open, as is a charge that equals one where the report tells no surcharges; and a charge that the
    report's own total volume bears out is none. Dangerous goods have rates that the table lacks.
    """
    if not books.has("storage_fees"):
        unchecked.append((STORAGE, "storage_fees", "report missing", None))
        return frames.empty(frames.RawFinding)
    store = books.account.marketplace
    rows = _charges(books)
    mine = pl.col("country").is_null() | (pl.col("country").replace(_COUNTRIES) == store)
    rates = policy.of("storage_fees", store).with_columns(months=pl.int_ranges("month_from", pl.col("month_to") + 1))
    base = rates.filter(pl.col("fee_type") == "monthly_storage").explode("months")
    in_month = (pl.col("day").dt.month().cast(pl.Int64) == pl.col("months").cast(pl.Int64)) & holds_on(pl.col("day"))
    priced = (
        rows.join(base.select("size_class", "months", "rate", "currency", "effective_from", "effective_to", "row", "status"),
                  on=["size_class", "currency"])
        .filter(in_month)
        .select("charge", "rate", "row", "status")
    )  # fmt: skip
    minor = pl.when(pl.col("currency") == "JPY").then(exact(1)).otherwise(exact("0.01"))
    by_step = pl.col("cubic") * pl.col("average_quantity") * pl.col("step")
    steps = rates.filter(pl.col("fee_type") == "storage_incl_utilisation_surcharge").explode("months")
    stepped = (
        rows.join(steps.select("size_class", "months", "currency", "effective_from", "effective_to", step="rate"),
                  on=["size_class", "currency"])
        .filter(in_month)
        .group_by("charge")
        .agg("step", is_step=((pl.col("estimated_fee") - by_step).abs() <= minor).any())
    )  # fmt: skip
    joined = rows.join(priced, on="charge", how="left").join(stepped, on="charge", how="left").with_columns(mine=mine)
    surcharge = pl.col("utilization_surcharge_rate").fill_null(0)
    allowed = pl.col("rate") + surcharge
    fee = round_money_expr(pl.col("cubic") * pl.col("average_quantity") * allowed)
    in_steps = pl.col("step").list.contains(allowed).fill_null(False)
    hidden = (
        (surcharge == 0)
        & (pl.col("storage_rate") != pl.col("rate"))
        & pl.col("step").list.contains(pl.col("storage_rate"))
    ) | (pl.col("utilization_surcharge_rate").is_null() & pl.col("is_step") & (pl.col("estimated_fee") - fee > minor))
    reason = (
        pl.when(~pl.col("mine"))
        .then(pl.lit("stored in another country: another card"))
        .when(is_dangerous())
        .then(pl.lit("dangerous goods: rates of their own, not sourced"))
        .when(pl.col("size_class").is_null())
        .then(pl.lit("unknown size class"))
        .when(pl.col("cubic").is_null() | pl.col("average_quantity").is_null())
        .then(pl.lit("volume or quantity unknown"))
        .when(pl.col("rate").is_null())
        .then(pl.lit("no rate row"))
        .when((surcharge > 0) & ~in_steps)
        .then(pl.lit("utilisation surcharge not in the table"))
        .when(hidden.fill_null(False))
        .then(pl.lit("rate may hold a utilisation surcharge that the report does not show"))
    )
    judged = joined.with_columns(reason=reason, allowed=allowed)
    for why, count in judged.filter(pl.col("reason").is_not_null()).group_by("reason").len().sort("reason").iter_rows():
        unchecked.append((STORAGE, "storage_fees", why, count))
    by_total = round_money_expr(pl.col("total_cubic") * pl.col("allowed"))
    apart = (pl.col("total_cubic") - pl.col("cubic") * pl.col("average_quantity")).abs()
    # the volume of an item is told to four digits: a small one, stored in large numbers, may be more by half of the last
    rounding = pl.when(pl.col("cubic") == pl.col("item_volume")).then(exact("0.00005") * pl.col("average_quantity"))
    near = (apart * exact(100) <= pl.col("total_cubic")) | (apart <= rounding).fill_null(False)
    over = (
        judged.filter(pl.col("reason").is_null())
        .with_columns(fee=fee, roomy=pl.when(near).then(by_total))
        .with_columns(owed=(pl.col("estimated_fee") - pl.col("fee")).cast(MONEY))
        .filter((pl.col("owed") > minor) & (pl.col("estimated_fee") - pl.col("roomy").fill_null(0) > minor))
    )
    texts = [
        f"charged {money_text(r['estimated_fee'], r['currency'])}; {r['cubic'].normalize():f} cubic feet x "
        f"{r['average_quantity'].normalize():f} x {r['allowed'].normalize():f} = {money_text(r['fee'], r['currency'])}: "
        f"{money_text(r['estimated_fee'], r['currency'])} - {money_text(r['fee'], r['currency'])} = "
        f"{money_text(r['owed'], r['currency'])}; {r['row']}"
        for r in over.iter_rows(named=True)
    ]
    told = over.with_columns(
        arithmetic=pl.Series(texts, dtype=pl.String),
        reason=pl.when(pl.col("status") == "uncertain").then(pl.lit("rate row is uncertain")),
        status=pl.lit(None, dtype=pl.String),  # that of the rate row is not that of the finding
        fact=words(*_KEY, "occurrence"),
        lines=pl.concat_list("place"),
        event_on="day",
        anchor_on="day",
        reference_id=words(pl.col("month_on").dt.to_string("%Y-%m"), "fulfillment_center").str.replace(
            "|", " ", literal=True
        ),
    )
    return findings(told, STORAGE, claim_type="fee_storage", value_basis="charge")


def _charges(books: Books) -> pl.DataFrame:
    """Storage rows that cost something, numbered `charge`, with `day`, `cubic` (feet a unit), `size_class` and `sku`."""
    tier = pl.col("size_tier").str.to_lowercase().str.replace_all(r"[^a-z]", "")
    big = tier.str.contains("oversize|bulky|extralarge|special|overmax") & ~tier.str.contains("envelope")
    clothes = category_key("category").str.contains("clothing|apparel").fill_null(False)
    kind: pl.Expr = (
        pl.when(big)
        .then(pl.lit("oversize"))
        .when(tier.str.contains("standard|small|large|envelope|parcel"))
        .then(pl.lit("standard"))
    )
    if books.account.marketplace == "UK":
        dress = pl.when(clothes).then(pl.lit("standard_apparel")).otherwise(pl.lit("standard_non_apparel"))
        kind = pl.when(kind == "standard").then(dress).otherwise(kind)
    names = (
        books.frames["products"]
        .filter(pl.col("sku").is_not_null())
        .select("fnsku", "asin", "sku", "category")
        .collect()
    )

    def one(key: str) -> pl.DataFrame:
        """The SKU and category of a key that has exactly one SKU."""
        known = names.filter(pl.col(key).is_not_null()).group_by(key)
        return known.agg(pl.col("sku").unique(), pl.col("category").last()).filter(pl.col("sku").list.len() == 1).with_columns(
            pl.col("sku").list.first()
        )  # fmt: skip

    rows = books.frames["storage_fees"].filter(pl.col("estimated_fee") > 0).collect()
    rows = (
        rows.join(one("fnsku"), on="fnsku", how="left", suffix="_f", maintain_order="left")
        .join(one("asin"), on="asin", how="left", suffix="_a", maintain_order="left")
        .with_columns(sku=pl.coalesce("sku", "sku_f", "sku_a"), category=pl.coalesce("category", "category_a"))
    )
    return (
        rows.with_columns(
            day=pl.col("month_on").dt.month_end(),
            cubic=volume(pl.col("item_volume"), "volume_unit", "cubic ft"),
            total_cubic=volume(pl.col("estimated_total_volume"), "volume_unit", "cubic ft"),
            size_class=kind,
            place=PLACE,
            estimated_fee=pl.col("estimated_fee").cast(MONEY),
            average_quantity=pl.col("average_quantity").cast(RATE),
        )
        .sort([*_KEY, "file", "line"], nulls_last=True)
        .with_columns(occurrence(_KEY))
        .with_row_index("charge")
    )

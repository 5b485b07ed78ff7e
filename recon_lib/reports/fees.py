"""Fee preview, storage fees, aged-inventory surcharge and storage overage fees.

Sources: GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA (eight layouts, US / CA / EU / UK, with and without store and future fees),
GET_FBA_STORAGE_FEE_CHARGES_DATA (27 to 36 columns in any order), GET_FBA_FULFILLMENT_LONGTERM_STORAGE_FEE_CHARGES_DATA
(today's tiers, and the old pair of 6 and 12 month fees), GET_FBA_OVERAGE_FEE_CHARGES_DATA. All are snapshots of
Amazon's own estimates or charges. Fees are positive here, as the reports write them.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.reports.base import Column, Report
from recon_lib.reports.cells import is_missing
from recon_lib.reports.dates import MONTHS

_MAY_BE_DASHES = ("product_group", "brand", "dimension_unit", "weight_unit", "size_tier")


def dashes_are_unknown(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """Words that Amazon did not know (`--`) are null, as the numbers beside them are."""
    del facts
    return rows.with_columns(pl.when(~is_missing(pl.col(n))).then(pl.col(n)).alias(n) for n in _MAY_BE_DASHES)


FEE_PREVIEW = Report(
    family="fee_preview",
    title="FBA fee preview",
    frame=frames.FeePreview,
    columns=(
        Column("amazon_store", ("amazon-store",)),
        Column("sku", ("sku",), required=True),
        Column("fnsku", ("fnsku",)),
        Column("asin", ("asin",)),
        Column("product_name", ("product-name",)),
        Column("product_group", ("product-group",)),
        Column("brand", ("brand",)),
        Column("fulfilled_by", ("fulfilled-by",)),
        Column("your_price", ("your-price",), "fine"),
        Column("sales_price", ("sales-price",), "fine"),
        Column("longest_side", ("longest-side",), "measure", required=True),
        Column("median_side", ("median-side",), "measure", required=True),
        Column("shortest_side", ("shortest-side",), "measure", required=True),
        Column("length_and_girth", ("length-and-girth",), "measure"),
        Column("dimension_unit", ("unit-of-dimension",), required=True),
        Column("package_weight", ("item-package-weight",), "measure", required=True),
        Column("weight_unit", ("unit-of-weight",), required=True),
        Column("size_tier", ("product-size-tier", "product-size-weight-band")),
        Column("currency", ("currency",), required=True),
        Column("estimated_fee_total", ("estimated-fee-total", "estimated-fee"), "fine", required=True),
        Column("estimated_referral_fee", ("estimated-referral-fee-per-unit",), "fine"),
        # The fee charged in the home store; fees of the European network and announced future fees are other columns.
        Column(
            "expected_fulfillment_fee",
            (
                "expected-fulfillment-fee-per-unit",
                "expected-fulfilment-fee-per-unit",
                "expected-domestic-fulfilment-fee-per-unit",
                "expected-domestic-fulfillment-fee-per-unit",
            ),
            "fine",
        ),
    ),
    signature=("sku", "unit-of-dimension", "item-package-weight", "estimated-referral-fee-per-unit"),
    # The file has no date: snapshots with other measures are other facts, and which is newer is not told.
    key=(
        "amazon_store", "sku", "longest_side", "median_side", "shortest_side", "dimension_unit", "package_weight",
        "weight_unit",
    ),
    finish=dashes_are_unknown,
)  # fmt: skip

_MONTH = r"^(20[0-9]{2})[-/](0[1-9]|1[0-2])(?:[-/][0-9]{2}(?:[T ].*)?)?$"
_WORD = r"^(\p{L}{3,})\.?[- ](?:20)?([0-9]{2})$"  # `Jul-26`: a spreadsheet took `2026-07` for a day


def _first_day() -> pl.Expr:
    """Of the text `month`; null where it is none."""
    text, months = pl.col("month"), {word: f"{n:02}" for word, n in MONTHS.items()}
    month = text.str.extract(_WORD, 1).str.to_lowercase().replace_strict(months, default=None, return_dtype=pl.String)
    named = pl.format("20{}-{}-01", text.str.extract(_WORD, 2), month)
    plain = pl.when(text.str.contains(_MONTH)).then(text.str.replace(_MONTH, "${1}-${2}-01"))
    return pl.coalesce(plain, named).str.to_date("%Y-%m-%d", strict=False)


def first_of_month(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """`month_on` from the text `month` (`2026-07`), which the report's check has found readable."""
    return rows.with_columns(_first_day().alias("month_on")).drop("month")


STORAGE_FEES = Report(
    family="storage_fees",
    title="FBA monthly storage fees",
    frame=frames.StorageFee,
    columns=(
        Column("month", ("month_of_charge",), required=True),
        Column("asin", ("asin",), required=True),
        Column("fnsku", ("fnsku",), required=True),
        Column("sku", ("sku",)),
        Column("product_name", ("product_name",)),
        Column("fulfillment_center", ("fulfillment_center",), required=True),
        Column("country", ("country_code",)),
        Column("longest_side", ("longest_side",), "measure"),
        Column("median_side", ("median_side",), "measure"),
        Column("shortest_side", ("shortest_side",), "measure"),
        Column("dimension_unit", ("measurement_units",)),
        Column("weight", ("weight",), "measure"),
        Column("weight_unit", ("weight_units",)),
        Column("item_volume", ("item_volume",), "measure"),
        Column("volume_unit", ("volume_units",)),
        Column("size_tier", ("product_size_tier",)),
        Column("average_quantity", ("average_quantity_on_hand",), "measure"),
        Column("pending_removal_quantity", ("average_quantity_pending_removal",), "measure"),
        Column("estimated_total_volume", ("estimated_total_item_volume",), "measure"),
        Column("storage_rate", ("storage_rate",), "measure"),
        Column("base_rate", ("base_rate",), "measure"),
        Column("utilization_surcharge_rate", ("utilization_surcharge_rate",), "measure"),
        Column("currency", ("currency",), required=True),
        Column("estimated_fee", ("estimated_monthly_storage_fee",), "fine", required=True),
        Column("dangerous_goods_type", ("dangerous_goods_storage_type",)),
        Column("incentive_fee", ("total_incentive_fee_amount",), "fine"),
    ),
    signature=("month_of_charge", "storage_rate", "estimated_monthly_storage_fee"),
    key=("month_on", "country", "fulfillment_center", "asin", "fnsku", "sku", "dangerous_goods_type"),
    period="month_on",
    money="estimated_fee",
    check=pl.when(_first_day().is_null()).then(pl.lit("month_of_charge is no month such as 2026-07")),
    finish=first_of_month,
)

_AGED = (
    Column("snapshot", ("snapshot-date",), "instant", required=True),
    Column("sku", ("sku",)),
    Column("fnsku", ("fnsku",), required=True),
    Column("asin", ("asin",)),
    Column("product_name", ("product-name",)),
    Column("condition", ("condition",)),
    Column("unit_volume", ("per-unit-volume",), "measure"),
    Column("volume_unit", ("volume-unit",)),
    Column("country", ("country",)),
    Column("currency", ("currency",), required=True),
)
_AGED_KEY = ("snapshot_on", "country", "fnsku", "sku", "condition", "age_tier")

AGED_INVENTORY_FEES = Report(
    family="aged_inventory_fees",
    title="FBA aged-inventory surcharge",
    frame=frames.AgedInventoryFee,
    columns=(
        *_AGED,
        Column("quantity", ("qty-charged",), "int", required=True),
        Column("amount", ("amount-charged",), "fine", required=True),
        Column("age_tier", ("surcharge-age-tier",)),
        Column("rate", ("rate-surcharge",), "measure"),
    ),
    signature=("snapshot-date", "qty-charged", "amount-charged"),
    key=_AGED_KEY,
    period="snapshot_on",
    money="amount",
)

# Old layout: one physical row tells two fees. Each fee that was charged becomes a row of its own, with the tier in the
# words of today's layout; a row without any charge stays one row of 0.00 with no tier, so that no row is lost.
_OLD_TIERS = (("6", "181-365"), ("12", "365+"))


def _long_term_names(months: str, what: str) -> tuple[str, ...]:
    """Both spellings of a header ("term" and "terms"), with and without the prefix of the quantity."""
    return tuple(f"{what}{months}-mo-long-{term}-storage-fee" for term in ("terms", "term"))


def one_row_a_tier(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """Rows with the pairs quantity_6/amount_6 and quantity_12/amount_12 -> rows with quantity, amount and age_tier."""
    del facts
    charged = [
        pl.struct(
            pl.lit(tier).alias("age_tier"),
            pl.col(f"quantity_{months}").alias("quantity"),
            pl.col(f"amount_{months}").alias("amount"),
        ).alias(tier)
        for months, tier in _OLD_TIERS
    ]
    told = [
        pl.col(f"amount_{months}").fill_null(0).ne(0) | pl.col(f"quantity_{months}").fill_null(0).ne(0)
        for months, _ in _OLD_TIERS
    ]
    nothing = pl.struct(
        pl.lit(None, dtype=pl.String).alias("age_tier"),
        pl.lit(0, dtype=pl.Int32).alias("quantity"),
        pl.lit(0).cast(pl.Decimal(38, 4)).alias("amount"),
    )
    pairs = [pl.when(test).then(pair) for test, pair in zip(told, charged, strict=True)]
    fees = pl.concat_list(*pairs, pl.when(~pl.any_horizontal(told)).then(nothing)).list.drop_nulls()
    names = [name for months, _ in _OLD_TIERS for name in (f"quantity_{months}", f"amount_{months}")]
    return (
        rows.with_columns(fees.alias("fees"), pl.lit(None, dtype=pl.Decimal(38, 8)).alias("rate"))
        .drop(names)
        .explode("fees")
        .unnest("fees")
        .with_columns(pl.col("amount").fill_null(0))
    )


LONG_TERM_STORAGE_FEES = Report(
    family="aged_inventory_fees",
    title="FBA long-term storage fees (old layout)",
    frame=frames.AgedInventoryFee,
    columns=(
        *_AGED,
        Column("quantity_6", _long_term_names("6", "qty-charged-"), "int"),
        Column("amount_6", _long_term_names("6", ""), "fine", required=True),
        Column("quantity_12", _long_term_names("12", "qty-charged-"), "int"),
        Column("amount_12", _long_term_names("12", ""), "fine", required=True),
    ),
    signature=("snapshot-date", "qty-charged-12-mo-long-term-storage-fee"),
    key=_AGED_KEY,
    period="snapshot_on",
    money="amount",
    finish=one_row_a_tier,
)

OVERAGE_FEES = Report(
    family="overage_fees",
    title="FBA storage overage fees",
    frame=frames.OverageFee,
    columns=(
        Column("charged", ("charged_date",), "instant", required=True),
        Column("country", ("country_code",)),
        Column("storage_type", ("storage_type",)),
        Column("charge_rate", ("charge_rate",), "measure"),
        Column("usage_volume", ("storage_usage_volume",), "measure"),
        Column("limit_volume", ("storage_limit_volume",), "measure"),
        Column("overage_volume", ("overage_volume",), "measure"),
        Column("volume_unit", ("volume_unit",)),
        Column("amount", ("charged_fee_amount",), "fine", required=True),
        Column("currency", ("currency_code",), required=True),
    ),
    signature=("charged_date", "overage_volume", "charged_fee_amount"),
    key=("charged_on", "country", "storage_type"),
    period="charged_on",
    money="amount",
)

FEES = (FEE_PREVIEW, STORAGE_FEES, AGED_INVENTORY_FEES, LONG_TERM_STORAGE_FEES, OVERAGE_FEES)

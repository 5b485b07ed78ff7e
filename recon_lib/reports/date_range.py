"""The date-range ("unified transaction") CSV in every language it is known in.

Source: Seller Central, Payments, Reports Repository. No row id, no currency column: the currency stands in the prose
before the header ("All amounts in GBP, unless specified"). A row whose money columns do not add up to its total is
rejected: one of its amounts was misread or belongs to a column nobody knows, and neither can be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial, reduce
from operator import add

import polars as pl

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.reports.base import Column, Kind, Report
from recon_lib.reports.date_range_words import COLUMNS, ENGLISH_TYPES, PLACE, SIGNATURES, TYPES

MONEY_COLUMNS = (
    "product_sales",
    "product_sales_tax",
    "shipping_credits",
    "shipping_credits_tax",
    "gift_wrap_credits",
    "gift_wrap_credits_tax",
    "regulatory_fee",
    "regulatory_fee_tax",
    "promotional_rebates",
    "promotional_rebates_tax",
    "withheld_tax",
    "low_value_goods",
    "tcs_cgst",
    "tcs_sgst",
    "tcs_igst",
    "tds",
    "points",
    "selling_fees",
    "fba_fees",
    "other_transaction_fees",
    "other",
)
"""What adds up to `total` in every row."""

_KEY = (
    "settlement_id",
    "posted_at",
    "posted_on",
    "type",
    "order_id",
    "sku",
    "description",
    "total",
    "currency",
)
_KINDS: dict[str, Kind] = {"posted": "instant", "released": "instant", "quantity": "int"}
_REQUIRED = {"posted", "type_written", "order_id", "product_sales", "selling_fees", "fba_fees", "other", "total"}

# Store, as the `marketplace` column (its web address) and account.yml name it, and the currency it pays in.
_STORES = {
    "US": ("amazon.com", "USD"), "CA": ("amazon.ca", "CAD"), "MX": ("amazon.com.mx", "MXN"),
    "BR": ("amazon.com.br", "BRL"), "UK": ("amazon.co.uk", "GBP"), "IE": ("amazon.ie", "EUR"),
    "DE": ("amazon.de", "EUR"), "FR": ("amazon.fr", "EUR"), "IT": ("amazon.it", "EUR"), "ES": ("amazon.es", "EUR"),
    "NL": ("amazon.nl", "EUR"), "BE": ("amazon.com.be", "EUR"), "SE": ("amazon.se", "SEK"), "PL": ("amazon.pl", "PLN"),
    "TR": ("amazon.com.tr", "TRY"), "AE": ("amazon.ae", "AED"), "SA": ("amazon.sa", "SAR"), "EG": ("amazon.eg", "EGP"),
    "IN": ("amazon.in", "INR"), "JP": ("amazon.co.jp", "JPY"), "AU": ("amazon.com.au", "AUD"),
    "SG": ("amazon.sg", "SGD"), "ZA": ("amazon.co.za", "ZAR"),
}  # fmt: skip
_CODES = sorted({currency for _, currency in _STORES.values()})
_CODE = re.compile(rf"(?<![A-Za-z])({'|'.join(_CODES)})(?![A-Za-z])")
_SIGNS = {"€": "EUR", "£": "GBP", "円": "JPY", "zł": "PLN", "₹": "INR"}
_EURO = re.compile(r"\bEuro\b")  # `Alle Beträge in Euro`


def preamble_currency(preamble: str) -> str | None:
    """The currency that the prose before the header names: an ISO code, else a sign; None where it names none.

    ReportError where it names several.
    """
    signs = {code for sign, code in _SIGNS.items() if sign in preamble} | ({"EUR"} if _EURO.search(preamble) else set())
    named = sorted(set(_CODE.findall(preamble))) or sorted(signs)
    if len(named) > 1:
        raise ReportError(
            f"the lines before the header name several currencies: {', '.join(named)}",
            hoped="one currency, as in 'All amounts in EUR, unless specified'",
            do="download the report again for one store",
        )
    return named[0] if named else None


def store_currency(rows: pl.LazyFrame) -> dict[str, str]:
    """Facts from the rows: `store_currency` where all stores named pay in one currency; `empty` where there are no rows."""
    stores = dict(_STORES.values()) | {"amazon.jp": "JPY"}  # as Japanese reports write it
    met = rows.select(pl.col("marketplace").str.to_lowercase()).collect()["marketplace"]
    currencies = {stores[name] for name in met.unique().drop_nulls() if name in stores}
    facts = {"store_currency": currencies.pop()} if len(currencies) == 1 else {}
    return facts if met.len() else {"empty": "yes"}


def file_currency(facts: Mapping[str, str]) -> str:
    """The currency of a file: its preamble, else its stores, else the account's store. ReportError without any.

    A file without rows needs none and gets an empty text.
    """
    found = (
        preamble_currency(facts.get("preamble", ""))
        or facts.get("store_currency")
        or _STORES.get(facts.get("marketplace", ""), (None, None))[1]
    )
    if not found and "empty" not in facts:
        raise ReportError(
            "the currency is stated nowhere",
            hoped="a line such as 'All amounts in EUR, unless specified' before the header",
            do="download the report again and keep the lines before the header",
        )
    return found or ""


def _folded(text: pl.Expr) -> pl.Expr:
    return (
        text.str.to_lowercase()
        .str.replace_all("[’‘]", "'")
        .str.replace_all(r"[\s\u{a0}\u{202f}_]+", " ")
        .str.strip_chars()
    )


def _fold(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text.replace("’", "'").lower()).strip()


def english_type(written: pl.Expr, language: str) -> pl.Expr:
    """The English type of a written one; null where unknown, but an unknown English word of an English file stays."""
    known = {_fold(name): name for name in ENGLISH_TYPES}
    known |= {_fold(word): english for english, words in TYPES[language].items() for word in words}
    otherwise = written if language == "en" else None
    return _folded(written).replace_strict(known, default=otherwise, return_dtype=pl.String)


def add_currency_and_type(rows: pl.LazyFrame, facts: Mapping[str, str], language: str) -> pl.LazyFrame:
    """Puts on what the file says once (currency, language) and the English `type`."""
    return rows.with_columns(
        english_type(pl.col("type_written"), language).alias("type"),
        pl.lit(file_currency(facts)).alias("currency"),
        pl.lit(language.partition("-")[0]).alias("language"),
    )


def total_check() -> pl.Expr:
    """Why a row is rejected: its money columns do not add up to its total; null where they do."""
    summed = reduce(add, (pl.col(name).fill_null(0) for name in MONEY_COLUMNS))
    told = [amount.cast(pl.Decimal(38, 2)).cast(pl.String) for amount in (summed, pl.col("total"))]
    said = pl.concat_str(pl.lit("columns add up to "), told[0], pl.lit(", total says "), told[1])
    return pl.when(summed != pl.col("total")).then(said)


def _columns(language: str) -> tuple[Column, ...]:
    local = COLUMNS[language]
    targets = dict.fromkeys([*COLUMNS["en"], *local])
    return tuple(
        Column(
            target,
            tuple(dict.fromkeys((*local.get(target, ()), *COLUMNS["en"].get(target, ())))),
            "money" if target in MONEY_COLUMNS or target == "total" else _KINDS.get(target, "text"),
            required=target in _REQUIRED,
        )
        for target in targets
    )


def _report(language: str) -> Report:
    return Report(
        family="date_range",
        title=f"Date range transactions ({language})",
        frame=frames.DateRangeLine,
        columns=_columns(language),
        signature=SIGNATURES[language],
        key=_KEY,
        newest_by="released_at",  # a deferred row has none and gives way to its released self
        private=tuple(name for names in PLACE for name in names),
        quoted=True,
        language=language.partition("-")[0],
        period="posted_on",
        money="total",
        check=total_check(),
        prepare=store_currency,
        finish=partial(add_currency_and_type, language=language),
    )


DATE_RANGE = tuple(_report(language) for language in COLUMNS)

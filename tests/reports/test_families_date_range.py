"""The date-range CSV in every language: headers, numbers, dates, currency, types, row sums."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from families_files import SHARED, D, everything, read, rows, stored_bytes, utc

from recon_lib.errors import ReportError
from recon_lib.reports.date_range import english_type, file_currency, preamble_currency

CITY = "Quillfeather-on-Sea"

# Header lines as the files write them: 27 columns ("high") or 23 ("low"), with the two of 2026 where they are known.
HIGH = {
    "de": "Datum/Uhrzeit|Abrechnungsnummer|Typ|Bestellnummer|SKU|Beschreibung|Menge|Marketplace|Versand|Ort der Bestellung"
    "|Bundesland|Postleitzahl|Steuererhebungsmodell|Umsätze|Produktumsatzsteuer|Gutschrift für Versandkosten"
    "|Steuer auf Versandgutschrift|Gutschrift für Geschenkverpackung|Steuer auf Geschenkverpackungsgutschriften"
    "|Rabatte aus Werbeaktionen|Steuer auf Aktionsrabatte|Einbehaltene Steuer auf Marketplace|Verkaufsgebühren"
    "|Gebühren zu Versand durch Amazon|Andere Transaktionsgebühren|Andere|Gesamt|Transaktionsstatus"
    "|Freigabedatum der Transaktion",
    "de, other words": "Datum/Uhrzeit|Abrechnungsnummer|Typ|Bestellnummer|SKU|Beschreibung|Menge|Marketplace|Versand"
    "|Stadt der Bestellung|Bundesland der Bestellung|Postleitzahl der Bestellung|Steuererhebungsmodell|Produktverkäufe"
    "|Umsatzsteuer auf Produktverkäufe|Gutschriften für Versandkosten|Steuer auf Versandgutschrift"
    "|Gutschriften für Geschenkverpackung|Steuer auf Geschenkverpackungsgutschriften|Aktionsrabatte"
    "|Steuer auf Aktionsrabatte|Einbehaltene Steuer auf Marketplace|Verkaufsgebühren|Versand durch Amazon Gebühren"
    "|Andere Transaktionsgebühren|Andere|Summe",
    "fr": "date/heure|numéro de versement|type|numéro de la commande|sku|description|quantité|Marketplace|traitement"
    "|ville d'où provient la commande|Région d'où provient la commande|code postal de la commande"
    "|Modèle de perception des taxes|ventes de produits|Taxes sur la vente des produits|crédits d'expédition"
    "|taxe sur les crédits d’expédition|crédits sur l'emballage cadeau|Taxes sur les crédits cadeaux"
    "|Rabais promotionnels|Taxes sur les remises promotionnelles|Taxes retenues sur le site de vente|frais de vente"
    "|Frais Expédié par Amazon|autres frais de transaction|autre|total|Statut de la transaction"
    "|Date de sortie de la transaction",
    "it": "Data/Ora:|Numero pagamento|Tipo|Numero ordine|SKU|Descrizione|Quantità|Marketplace|Gestione"
    "|Città di provenienza dell'ordine|Provincia di provenienza dell'ordine|CAP dell'ordine"
    "|modello di riscossione delle imposte|Vendite|imposta sulle vendite dei prodotti|Accrediti per le spedizioni"
    "|imposta accrediti per le spedizioni|Accrediti per confezioni regalo|imposta sui crediti confezione regalo"
    "|Sconti promozionali|imposta sugli sconti promozionali|trattenuta IVA del marketplace|Commissioni di vendita"
    "|Costi del servizio Logistica di Amazon|Altri costi relativi alle transazioni|Altro|totale|Stato della transazione"
    "|Data di rilascio della transazione",
    "es": "fecha y hora|identificador de pago|tipo|número de pedido|sku|descripción|cantidad|web de Amazon"
    "|gestión logística|ciudad de procedencia del pedido|comunidad autónoma de procedencia del pedido"
    "|código postal de procedencia del pedido|Formulario de recaudación de impuestos|ventas de productos"
    "|impuesto de ventas de productos|abonos de envío|impuestos por abonos de envío|abonos de envoltorio para regalo"
    "|impuestos por abonos de envoltorio para regalo|devoluciones promocionales"
    "|impuestos de descuentos por promociones|impuesto retenido en el sitio web|tarifas de venta"
    "|tarifas de Logística de Amazon|tarifas de otras transacciones|otro|total|Estado de la transacción"
    "|Fecha de liberación de la transacción",
    "es, three taxes in English": "fecha y hora|identificador de pago|tipo|número de pedido|sku|descripción|cantidad"
    "|web de Amazon|gestión logística|ciudad de procedencia del pedido|comunidad autónoma de procedencia del pedido"
    "|código postal de procedencia del pedido|Formulario de recaudación de impuestos|ventas de productos"
    "|product sales tax|abonos de envío|impuestos por abonos de envío|abonos de envoltorio para regalo"
    "|giftwrap credits tax|devoluciones promocionales|promotional rebates tax|impuesto retenido en el sitio web"
    "|tarifas de venta|tarifas de Logística de Amazon|tarifas de otras transacciones|otro|total",
    "mx": "fecha/hora|Id. de liquidación|tipo |Id. del pedido|sku|descripción|cantidad|marketplace|cumplimiento"
    "|ciudad del pedido|estado del pedido|código postal del pedido|modelo de recaudación de impuestos"
    "|ventas de productos|impuesto de ventas de productos|créditos de envío|impuesto de abono de envío"
    "|créditos por envoltorio de regalo|impuesto de créditos de envoltura|rebajas promocionales"
    "|impuesto de reembolsos promocionales|impuesto de retenciones en la plataforma|tarifas de venta|tarifas fba"
    "|tarifas de otra transacción|otro|total",
    "us 27": "date/time|settlement id|type|order id|sku|description|quantity|marketplace|fulfillment|order city|order state"
    "|order postal|tax collection model|product sales|product sales tax|shipping credits|shipping credits tax"
    "|gift wrap credits|giftwrap credits tax|promotional rebates|promotional rebates tax|marketplace withheld tax"
    "|selling fees|fba fees|other transaction fees|other|total",
    "uk": "date/time|settlement id|type|order id|sku|description|quantity|marketplace|fulfilment|order city|order state"
    "|order postal|tax collection model|product sales|product sales tax|postage credits|postage credits tax"
    "|gift wrap credits|giftwrap credits tax|promotional rebates|promotional rebates tax|marketplace withheld tax"
    "|selling fees|fba fees|other transaction fees|other|total|Transaction Status|Transaction Release Date",
}  # fmt: skip
LOW = {
    "be": "date/heure|Identifiant du paiement|type|Numéro de la commande|SKU|description|Quantité|site de vente|expédition"
    "|ville de la commande|état de la commande|commande postale|ventes de produits |crédits d'expédition "
    "|crédits d'emballage-cadeau|Total des réductions|taxe de ventes prélevée|Taxe Marketplace Facilitator"
    "|frais de vente |Frais pour le service Expédié par Amazon|autres frais de transaction|autres|total"
    "|Statut de la transaction|Date de délivrance de la transaction",
    "nl": "datum/tijd|schikkings-ID|type|bestelnummer|sku|beschrijving|aantal|marketplace|fulfillment|bestelling stad"
    "|status bestelling|bestelling per post|verkoop van producten|Verzendtegoeden|kredietpunten cadeauverpakking"
    "|promotiekortingen|geïnde omzetbelasting|Belasting voor marketplace-facilitator|verkoopkosten|fba-vergoedingen"
    "|overige transactiekosten|overige|totaal|Transactiestatus|Publicatiedatum van transactie",
    "se": "datum/tid|reglerings-id|typ|beställnings-id|sku|beskrivning|antal|marknadsplats|leverans|stad för beställning"
    "|delstat för beställning|postadress för beställning|försäljning av produkter|fraktkrediter"
    "|krediter för presentinslagning|kampanjrabatter|Inkasserad moms|Skatt för marknadsplatsförmedlare"
    "|försäljningsavgifter|fba-avgifter|övriga transaktionsavgifter|Övrigt|totalt|Transaction Status"
    "|Transaktionens utgivningsdatum",
    "pl": "data/godzina|identyfikator rozliczenia|typ|identyfikator zamówienia|sku|opis|ilość|rynek|realizacja"
    "|miejscowość zamówienia|stan zamówienia|przekaz pocztowy|sprzedaż produktów|noty kredytowe za wysyłkę"
    "|środki na pokrycie pakowania na prezent|rabaty promocyjne|pobrany podatek od sprzedaży"
    "|podatek od transakcji marketplace facilitator|opłaty za sprzedaż|opłaty za FBA|inne opłaty transakcyjne|inne|suma"
    "|Status transakcji",
    "us 23": "date/time|settlement id|type|order id|sku|description|quantity|marketplace|fulfillment|order city|order state"
    "|order postal|product sales|shipping credits|gift wrap credits|promotional rebates|sales tax collected"
    "|Marketplace Facilitator Tax|selling fees|fba fees|other transaction fees|other|total",
    "ae": "date/time|settlement ID|type|order ID|sku|description|quantity|marketplace|fulfillment|order city|order state"
    "|order postal|product sales|shipping credits|giftwrap credits|promotional rebates|sales tax collected"
    "|Marketplace Facilitator Tax|selling fees|FBA fees|other transaction fees|other|total|Transaction status"
    "|Transaction Release Date",
}  # fmt: skip

HIGH_MONEY = [
    "1234.56",
    "10.00",
    "3.99",
    "0",
    "0",
    "0",
    "-4.00",
    "-0.50",
    "-9.50",
    "-150.25",
    "-30.05",
    "0",
    "0",
    "1054.25",
]
LOW_MONEY = ["1234.56", "3.99", "0", "-4.00", "10.00", "-10.00", "-150.25", "-30.05", "0", "0", "1054.25"]
TRANSFER = "-1054.25"


def point(text: str) -> str:
    return text


def grouped(text: str) -> str:
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, cents = body.partition(".")
    return f"{sign}{int(whole):,}" + (f".{cents}" if cents else "")


def comma(text: str) -> str:
    return grouped(text).translate(str.maketrans(",.", ".,"))


def blank(text: str) -> str:
    return grouped(text).translate(str.maketrans(",.", "\u00a0,"))


def narrow(text: str) -> str:
    return grouped(text).translate(str.maketrans(",.", "\u202f,"))


DE_SAYS = "Alle Beträge in EUR, sofern nicht anders angegeben"
FR_SAYS = "Tous les montants sont en EUR, sauf mention contraire"
IT_SAYS = "Tutti gli importi sono in EUR, se non diversamente specificato"
ES_SAYS = "Todos los importes en EUR, a menos que se indique lo contrario"
MX_SAYS = "Todos los importes en MXN, a menos que se indique lo contrario"
NL_SAYS = "Alle bedragen in EUR, tenzij anders vermeld"
SE_SAYS = "Alla belopp i SEK, om inget annat anges"
PL_SAYS = "Wszystkie kwoty w PLN, o ile nie podano inaczej"

# layout, sentence, numbers, date as written, instant, words for Order and Transfer, language, currency
CASES = [
    ("de", DE_SAYS, comma, "01.05.2017 00:12:34 GMT+02:00", "2017-04-30 22:12:34", "Bestellung", "Übertrag", "de", "EUR"),
    ("de, other words", DE_SAYS, comma, "01.05.2026 00:12:34 UTC", "2026-05-01 00:12:34", "Bestellung", "Überweisung",
     "de", "EUR"),
    ("fr", FR_SAYS, blank, "1 juil. 2025 10:00:00 UTC", "2025-07-01 10:00:00", "Commande", "Transfert", "fr", "EUR"),
    ("fr", FR_SAYS, comma, "30 juin 2025 22:31:31 UTC", "2025-06-30 22:31:31", "Commande", "Virement", "fr", "EUR"),
    ("fr", FR_SAYS, narrow, "5 août 2025 22:31:31 UTC", "2025-08-05 22:31:31", "Commande", "Transfert", "fr", "EUR"),
    ("be", FR_SAYS, blank, "1 déc. 2025 10:00:00 UTC", "2025-12-01 10:00:00", "Commande", "Transfert", "fr", "EUR"),
    ("it", IT_SAYS, comma, "1 mag 2017 00.12.34 GMT+02:00", "2017-04-30 22:12:34", "Ordine", "Trasferimento", "it", "EUR"),
    ("it", IT_SAYS, comma, "13 gen 2026 09:12:34 UTC", "2026-01-13 09:12:34", "Ordine", "Trasferimento", "it", "EUR"),
    ("es", ES_SAYS, comma, "02/05/2017 00:12:34 GMT+02:00", "2017-05-01 22:12:34", "Pedido", "Transferir", "es", "EUR"),
    ("es", ES_SAYS, comma, "02.05.2017 00:12:34 GMT+02:00", "2017-05-01 22:12:34", "Pedido", "Transferir", "es", "EUR"),
    ("es, three taxes in English", ES_SAYS, comma, "1 ene 2026 00:12:34 UTC", "2026-01-01 00:12:34", "Pedido",
     "Transferir", "es", "EUR"),
    ("mx", MX_SAYS, grouped, "1 ago. 2026 01:12:34 a.m. PDT", "2026-08-01 08:12:34", "Pedido", "Transferir", "es", "MXN"),
    ("nl", NL_SAYS, comma, "1 mei 2026 00:12:34 UTC", "2026-05-01 00:12:34", "Bestelling", "Overboeking", "nl", "EUR"),
    ("se", SE_SAYS, blank, "1 maj 2026 00:12:34 UTC", "2026-05-01 00:12:34", "Beställning", "Överföring", "sv", "SEK"),
    ("pl", PL_SAYS, comma, "1 paź 2026 00:12:34 UTC", "2026-10-01 00:12:34", "Zamówienie", "Przelew", "pl", "PLN"),
    ("us 27", "All amounts in USD, unless specified", grouped, "Dec 1, 2017 12:38:23 AM PST", "2017-12-01 08:38:23",
     "Order", "Transfer", "en", "USD"),
    ("us 27", "All amounts in CAD, unless specified", grouped, "2017-05-01 1:02:03 AM PDT", "2017-05-01 08:02:03",
     "Order", "Transfer", "en", "CAD"),
    ("us 27", "All amounts in CAD, unless specified", grouped, "2026-05-01 1:02:03 p.m. PDT", "2026-05-01 20:02:03",
     "Order", "Transfer", "en", "CAD"),
    ("us 23", "All amounts in USD, unless specified", grouped, "Oct 1, 2026 11:30:00 PM PDT", "2026-10-02 06:30:00",
     "Order", "Transfer", "en", "USD"),
    ("uk", "All amounts in GBP, unless specified", grouped, "1 May 2017 00:12:34 GMT+01:00", "2017-04-30 23:12:34",
     "Order", "Transfer", "en", "GBP"),
    ("uk", "All amounts in GBP, unless specified", point, "13 Sept 2026 00:12:34 UTC", "2026-09-13 00:12:34", "Order",
     "Transfer", "en", "GBP"),
    ("ae", "All amounts in AED, unless specified", grouped, "15 Mar 2026 3:22:08 PM UTC", "2026-03-15 15:22:08", "Order",
     "Transfer", "en", "AED"),
]  # fmt: skip


def quoted(*lines: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
    return out.getvalue()


def preamble(sentence: str | None) -> list[list[str]]:
    first = "Includes Amazon Marketplace, Fulfillment by Amazon (FBA), and Amazon Webstore transactions"
    rest = ["Definitions:", 'Sales tax collected: Includes "sales tax", shipping', "Other: Includes other amounts"]
    return [[line] for line in (first, *([sentence] if sentence else []), *rest)]


def order_line(header: list[str], money: list[str], when: str, kind: str) -> list[str]:
    row = [when, "14293123456", kind, "305-1234567-1234567", "SKU-1", 'Ball, 5" "blue"', "2", "amazon.de", "Amazon"]
    row += [CITY, "Bayern", "00501"] + ([""] if len(money) == len(HIGH_MONEY) else [])
    row += money
    return row + ["Released", when][: len(header) - len(row)]


def transfer_line(header: list[str], zero: list[str], amount: str, when: str, kind: str) -> list[str]:
    row = [when, "14293123456", kind, "", "", "To account ending with: 123", "", "", "", "", "", ""]
    row += ([""] if len(zero) == len(HIGH_MONEY) else []) + zero[:-2] + [amount, amount]
    return row + ["", ""][: len(header) - len(row)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[3]}")
def test_every_language(tmp_path: Path, case: tuple) -> None:  # type: ignore[type-arg]
    layout, sentence, style, when, instant, order, transfer, language, currency = case
    high = layout in HIGH
    header = (HIGH if high else LOW)[layout].split("|")
    amounts = [style(text) for text in (HIGH_MONEY if high else LOW_MONEY)]
    lines = [
        *preamble(sentence),
        header,
        order_line(header, amounts, when, order),
        transfer_line(header, [style("0")] * len(amounts), style(TRANSFER), when, transfer),
    ]
    reading = read(tmp_path, quoted(*lines), "2026MayMonthlyUnifiedTransaction.csv")
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("date_range", 2, 0)
    got = rows(reading)
    assert got["line"].to_list() == [7, 8]
    first, second = got.row(0, named=True), got.row(1, named=True)
    assert first["posted_at"] == utc(instant)
    assert (first["type"], first["type_written"]) == ("Order", order)
    assert (second["type"], second["type_written"]) == ("Transfer", transfer)
    assert (first["language"], first["currency"]) == (language, currency)
    assert (first["settlement_id"], first["order_id"], first["sku"]) == ("14293123456", "305-1234567-1234567", "SKU-1")
    assert (first["description"], first["quantity"], first["fulfillment"]) == ('Ball, 5" "blue"', 2, "Amazon")
    assert first["product_sales"] == D("1234.56")
    assert first["product_sales_tax"] == D("10")
    assert first["shipping_credits"] == D("3.99")
    assert first["promotional_rebates"] == D("-4")
    assert first["promotional_rebates_tax"] == (D("-0.5") if high else None)
    assert first["withheld_tax"] == (D("-9.5") if high else D("-10"))
    assert (first["selling_fees"], first["fba_fees"]) == (D("-150.25"), D("-30.05"))
    assert (first["gift_wrap_credits"], first["other"], first["total"]) == (D("0"), D("0"), D("1054.25"))
    assert (second["other"], second["total"], second["quantity"]) == (D("-1054.25"), D("-1054.25"), None)
    assert dict(reading.totals) == {currency: D("0")}
    told = len(header) - (27 if high else 23)
    assert first["status"] == ("Released" if told else None)
    assert first["released_at"] == (utc(instant) if told == 2 else None)
    assert CITY not in everything(reading)
    assert CITY.encode() not in stored_bytes(tmp_path)


def test_the_written_day_is_kept_beside_the_instant(tmp_path: Path) -> None:
    header = LOW["us 23"].split("|")
    lines = [*preamble("All amounts in USD, unless specified"), header]
    lines.append(order_line(header, LOW_MONEY, "Oct 1, 2026 11:30:00 PM PDT", "Order"))
    row = rows(read(tmp_path, quoted(*lines))).row(0, named=True)
    assert (row["posted_on"], row["posted_at"]) == (date(2026, 10, 1), utc("2026-10-02 06:30:00"))


JAPANESE = (
    "日付/時間|決済番号|トランザクションの種類|注文番号|SKU|説明|数量|Amazon 出品サービス|フルフィルメント"
    "|市町村|都道府県|郵便番号|税金徴収型|商品売上|商品の売上税|配送料|配送料の税金|ギフト包装手数料|ギフト包装クレジットの税金|Amazonポイントの費用"
    "|プロモーション割引額|プロモーション割引の税金|源泉徴収税を伴うマーケットプレイス|手数料|FBA 手数料"
    "|トランザクションに関するその他の手数料|その他|合計"
)


def test_the_japanese_file_in_cp932_with_points_and_yen(tmp_path: Path) -> None:
    header = JAPANESE.split("|")
    assert len(header) == 28
    money = ["12,345", "1,234", "400", "40", "0", "0", "-100", "-200", "-20", "0", "-1,500", "-434", "0", "0", "11,765"]
    row = [
        "2024/12/01 8:15:22JST",
        "1234",
        "注文",
        "250-1234567-1234567",
        "SKU-1",
        "ボール",
        "1",
        "amazon.co.jp",
        "Amazon",
    ]
    row += ["千代田区", "東京都", "100-0001", "", *money]
    text = quoted(["すべての金額は円で表示されています"], header, row)
    for number, data in enumerate((text.encode("cp932"), b"\xef\xbb\xbf" + text.encode())):
        reading = read(tmp_path, data, f"file{number}.csv")
        assert (reading.family, reading.rows_used, reading.rows_rejected) == ("date_range", 1, 0)
        got = rows(reading).row(0, named=True)
        assert (got["posted_at"], got["posted_on"]) == (utc("2024-11-30 23:15:22"), date(2024, 12, 1))
        assert (got["type"], got["currency"], got["language"]) == ("Order", "JPY", "ja")
        assert (got["points"], got["product_sales"], got["total"]) == (D("-100"), D("12345"), D("11765"))
        assert "千代田区" not in everything(reading)


US_30 = (
    "date/time|settlement id|type|order id|sku|description|quantity|marketplace|account type|fulfillment|order city|order state"
    "|order postal|tax collection model|product sales|product sales tax|shipping credits|shipping credits tax"
    "|gift wrap credits|giftwrap credits tax|Regulatory Fee|Tax On Regulatory Fee|promotional rebates"
    "|promotional rebates tax|marketplace withheld tax|selling fees|fba fees|other transaction fees|other|total"
)
EN_22 = LOW["us 23"].replace("|Marketplace Facilitator Tax", "")
EN_21 = EN_22.replace("|sales tax collected", "")
AU_24 = LOW["us 23"].replace("|selling fees", "|low value goods|selling fees").replace("order id", "order ID")
IN_27 = (
    "date/time|settlement id|type|order id|Sku|description|quantity|marketplace|account type|fulfillment|order city|order state"
    "|order postal|product sales|shipping credits|gift wrap credits|promotional rebates"
    "|Total sales tax liable(GST before adjusting TCS)|TCS-CGST|TCS-SGST|TCS-IGST|TDS (Section 194-O)|selling fees|fba fees"
    "|other transaction fees|other|total"
)
BASE = {
    "date/time": "Jan 2, 2026 1:00:00 PM PST", "settlement id": "1", "type": "Order", "order id": "111-1234567-1234567",
    "order ID": "111-1234567-1234567", "sku": "SKU-1", "Sku": "SKU-1", "quantity": "1", "account type": "Standard Orders",
    "product sales": "20.00", "selling fees": "-3.00", "fba fees": "-4.50",
}  # fmt: skip


@pytest.mark.parametrize(
    ("head", "extra", "total", "hoped"),
    [
        (US_30, {"Regulatory Fee": "0.50", "Tax On Regulatory Fee": "0.05", "product sales tax": "1.60"}, "14.65",
         {"regulatory_fee": "0.5", "regulatory_fee_tax": "0.05", "product_sales_tax": "1.6"}),
        (EN_22, {"sales tax collected": "1.60"}, "14.10", {"product_sales_tax": "1.6"}),
        (EN_21, {}, "12.50", {"selling_fees": "-3"}),
        (AU_24, {"low value goods": "-2.00"}, "10.50", {"low_value_goods": "-2"}),
        (IN_27, {"product sales": "1,44,957.78", "Total sales tax liable(GST before adjusting TCS)": "100.00",
                 "TCS-CGST": "-0.50", "TCS-SGST": "-0.50", "TCS-IGST": "-1.00", "TDS (Section 194-O)": "-0.20",
                 "date/time": "1 Jul 2026 4:24:44 am UTC"}, "1,45,048.08",
         {"product_sales": "144957.78", "product_sales_tax": "100", "tcs_cgst": "-0.5", "tcs_igst": "-1", "tds": "-0.2"}),
    ],
    ids=["US 30", "22", "21", "AU", "IN"],
)  # fmt: skip
def test_english_layouts(tmp_path: Path, head: str, extra: dict[str, str], total: str, hoped: dict[str, str]) -> None:
    header = head.split("|")
    cells = BASE | extra | {"total": total}
    text = quoted(["All amounts in INR, unless specified"], header, [cells.get(name, "") for name in header])
    reading = read(tmp_path, text)
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("date_range", 1, 0)
    row = rows(reading).row(0, named=True)
    assert {name: row[name] for name in hoped} == {name: D(value) for name, value in hoped.items()}
    assert row["total"] == D(total.replace(",", ""))
    if head == IN_27:
        assert row["posted_at"] == utc("2026-07-01 04:24:44")
    assert row["account_type"] == ("Standard Orders" if "account type" in header else None)


def english(folder: Path, *, says: str | None, marketplace: str = "", hint: str | None = None, total: str = "12.50"):  # type: ignore[no-untyped-def]
    header = EN_21.split("|")
    cells = BASE | {"total": total, "marketplace": marketplace}
    lines = [*([[says]] if says else []), header, [cells.get(name, "") for name in header]]
    return read(folder, quoted(*lines), marketplace=hint)


@pytest.mark.parametrize(
    ("preamble", "hoped"),
    [
        ("All amounts in GBP, unless specified", "GBP"),
        ('"Includes Amazon Marketplace, Fulfillment by Amazon (FBA)"\n"All amounts in CAD, unless specified"', "CAD"),
        ("Tous les montants sont en EUR, sauf mention contraire", "EUR"),
        ("Alle Beträge in €", "EUR"),
        ("Alle Beträge in Euro sofern nicht anders gekennzeichnet", "EUR"),
        ("金額は円です", "JPY"),
        ("Wszystkie kwoty w zł", "PLN"),
        ("Definitions: TRYING, EUROPE, all of it", None),
        ("", None),
    ],
)
def test_the_currency_in_the_prose(preamble: str, hoped: str | None) -> None:
    assert preamble_currency(preamble) == hoped


def test_the_currency_comes_from_the_preamble_then_the_store_then_the_account(tmp_path: Path) -> None:
    facts = {"preamble": "All amounts in GBP, unless specified", "store_currency": "USD", "marketplace": "DE"}
    assert file_currency(facts) == "GBP"
    assert file_currency(facts | {"preamble": ""}) == "USD"
    assert file_currency({"marketplace": "JP"}) == "JPY"
    assert rows(english(tmp_path, says=None, marketplace="Amazon.co.uk", hint="DE"))["currency"].item() == "GBP"
    assert rows(english(tmp_path, says=None, marketplace="amazon.jp", hint="DE"))["currency"].item() == "JPY"


def test_a_currency_that_is_stated_nowhere_or_twice_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="currency is stated nowhere"):
        english(tmp_path, says=None)
    with pytest.raises(ReportError, match="EUR, GBP"):
        english(tmp_path, says="All amounts in GBP or EUR")


def test_a_row_that_does_not_add_up_is_rejected_with_both_sums(tmp_path: Path) -> None:
    reading = english(tmp_path, says="All amounts in USD, unless specified", total="1012.51")
    assert (reading.rows_used, reading.rows_rejected) == (0, 1)
    reject = reading.rejects.row(0, named=True)
    assert reject["line"] == 3
    assert "columns add up to 12.50, total says 1012.51" in reject["reason"]


@pytest.mark.parametrize(
    ("language", "written", "hoped"),
    [
        ("en", "Liquidations", "Liquidations"),
        ("en", "order_retrocharge", "Order_Retrocharge"),
        ("en", "A New Thing", "A New Thing"),
        ("de", "Versand durch Amazon Lagergebühr", "FBA Inventory Fee"),
        ("de", "Gebühren von Amazon", "Amazon Fees"),
        ("de", "Liquidations", "Liquidations"),
        ("de", "Etwas Neues", None),
        ("fr", "Solde négatif", None),
        ("fr", "Tarif de la Vente Flash", "Lightning Deal Fee"),
        ("fr", "Frais\u00a0Amazon", "Amazon Fees"),
        ("it", "Tariffa dell’Offerta Lampo", "Lightning Deal Fee"),
        ("it", "TARIFFE E COMMISSIONI AMAZON", "Amazon Fees"),
        ("es", "Tarifa de prestación de servicio", "Service Fee"),
        ("es-MX", "Reembolso", "Refund"),
        ("ja", "送金", "Transfer"),
        ("ja", "FBA 在庫関連の手数料", "FBA Inventory Fee"),
        ("nl", "Aanpassing", "Adjustment"),
        ("sv", "Återbetalning", "Refund"),
        ("pl", "Zwrot", "Refund"),
        ("pl", None, None),
    ],
)
def test_types_in_english(language: str, written: str | None, hoped: str | None) -> None:
    frame = pl.DataFrame({"written": [written]}, schema={"written": pl.String})
    assert frame.select(english_type(pl.col("written"), language)).item() == hoped


def test_a_deferred_row_has_no_release_date(tmp_path: Path) -> None:
    header = HIGH["uk"].split("|")
    row = [*order_line(header, HIGH_MONEY, "13 Sep 2026 00:12:34 UTC", "Order")[:-2], "Deferred", ""]
    got = rows(read(tmp_path, quoted(["All amounts in GBP, unless specified"], header, row))).row(0, named=True)
    assert (got["status"], got["released_at"], got["released_on"]) == ("Deferred", None, None)


def test_a_spreadsheet_that_saves_it_with_tabs_quotes_only_what_holds_a_comma_or_a_quotation_mark(
    tmp_path: Path,
) -> None:
    header = "date/time|settlement id|type|order id|sku|description|quantity|order city|product sales|selling fees|fba fees|other|total"
    text = (
        '"All amounts in USD, unless specified"\r\n'
        + header.replace("|", "\t")
        + '\r\n"Dec 1, 2017 12:38:23 AM PST"\t123\tOrder\tO1\tS\t"Mug, 5"" wide"\t1\tX\t"1,052.64"\t-2.64\t0\t0\t"1,050.00"'
        + '\r\n"Jul 1, 2018 1:00:00 PM PDT"\t123\tOrder\tO2\tS\tMug\t1\t"X, Y"\t10\t0\t0\t0\t10\r\n'
    )
    for encoding in ("utf-16", "utf-8"):
        reading = read(tmp_path, text.encode(encoding))
        assert (reading.rows_used, reading.rows_rejected) == (2, 0)
        first, second = rows(reading).rows(named=True)
        assert (first["posted_at"], first["description"]) == (utc("2017-12-01T08:38:23"), 'Mug, 5" wide')
        assert (first["product_sales"], first["total"]) == (D("1052.64"), D("1050"))
        assert (second["posted_at"], second["total"]) == (utc("2018-07-01T20:00:00"), D("10"))


@pytest.mark.parametrize("written", ['"Best" mug, blue', '5" nail, long', '"Mug"', '"open, and never closed'])
def test_other_quotation_marks_of_a_tab_file_are_data(tmp_path: Path, written: str) -> None:
    header = "date/time|settlement id|type|order id|sku|description|product sales|selling fees|fba fees|other|total"
    row = f"1 May 2017 00:12:34 UTC|123|Order|O1|S|{written}|10|0|0|0|10"
    text = f"All amounts in USD\n{header}\n{row}\n{row}\n".replace("|", "\t")
    assert rows(read(tmp_path, text))["description"].to_list() == [written, written]


def test_the_public_header_sample(tmp_path: Path) -> None:
    sample = SHARED / "date-range-transaction" / "arise-transaction-header.csv"
    if not sample.exists():
        pytest.skip("the shared samples are not on this machine")
    reading = read(tmp_path, sample.read_bytes(), "header.csv")
    assert (reading.family, reading.rows_total) == ("date_range", 0)

"""What is wrong with a file in books/, told for who wrote it: Amazon has nothing to do with the seller's own records."""

from __future__ import annotations

from pathlib import PurePosixPath

from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports.base import Report
from recon_lib.reports.books import BANK_CSV, INBOUND_SHIPMENTS, PAY_ACTIVITY, PRODUCTS, REMOVAL_RECEIPTS

FILES = {
    "products.csv": PRODUCTS,
    "pay_activity.csv": PAY_ACTIVITY,
    "inbound_shipments.csv": INBOUND_SHIPMENTS,
    "removal_receipts.csv": REMOVAL_RECEIPTS,
    "bank.csv": BANK_CSV,
}
LACKS = "but lacks "  # what recognise.py says of a file that is nearly a report
_WHERE = "docs/reports.md, The seller's own records"


def header(report: Report) -> str:
    """The header that a file of this kind must have."""
    return ",".join(column.names[0] for column in report.columns)


def own_file(problem: ReportError, name: str) -> ReportError:
    """`problem` of the file `name` (as it is displayed, below books/) in words for the seller; others come back as they are."""
    if not isinstance(problem, NotAReport) and LACKS not in problem.met:
        return problem
    path, met = PurePosixPath(name.split("!")[0]), problem.met
    meant = FILES.get(path.name) or next((report for report in FILES.values() if report.title in met), None)
    if meant is not None:
        hoped = f"the header {header(meant)}"
        do = f"add the columns that are missing; which cells may stay empty: {_WHERE}"
        if meant.title not in met:
            met = f"has not the header of {path.name}"
    elif path.parent.name == "bank":
        hoped = "an OFX, QFX, MT940 or CAMT.053 file, a CSV with the header of bank.csv, or a CSV that mapping.yml describes"
        do = f"write books/bank/mapping.yml for your bank's CSV ({_WHERE}), or take the file out of books/"
    else:
        hoped = f"a file of the kind of {', '.join(FILES)}"
        do = f"give it the header of one of them ({_WHERE}), or take it out of books/"
    if "spreadsheet" in problem.met:  # the usual way to keep such records
        met, do = problem.met, f"save its sheet as CSV (commas, UTF-8); {do}"
    return ReportError(met, hoped=hoped, do=do, file=problem.file or name, line=problem.line)

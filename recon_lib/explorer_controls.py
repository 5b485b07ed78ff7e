"""The controls of the explorer and how they are laid out. What they do is wired in `widgets`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ipywidgets as w

from recon_lib import charts, explore_tables
from recon_lib.decisions import KINDS

_WIDE = {"width": "98%"}
_STYLE = {"description_width": "9em"}


class Controls:
    """Every control by its name; `view` is all of them, ready to be shown."""

    def __init__(self, folder: Path | str, as_of: date) -> None:
        self.folder = w.Text(str(folder), description="Account folder", style=_STYLE, layout=_WIDE)
        self.as_of = w.DatePicker(description="Day", value=as_of, style=_STYLE)
        self.open = w.Button(description="Open", icon="folder-open", tooltip="Read the account at the end of the day")
        self.message = w.HTML()

        self.audit = w.Dropdown(description="Audit", style=_STYLE, layout={"width": "36em"})
        self.status = w.Dropdown(description="Status", style=_STYLE)
        self.product = w.Combobox(description="SKU", placeholder="part of a SKU, FNSKU or ASIN", style=_STYLE)
        self.minimum = w.Text(description="At least", placeholder="like 10.00", continuous_update=False, style=_STYLE)
        self.chart, self.findings = w.Output(), w.HTML()

        self.finding = w.Dropdown(description="Finding", style=_STYLE, layout=_WIDE)
        self.evidence = w.HTML()
        self.number = _text("Order or number", "order, shipment, removal, reimbursement, transaction")
        self.unit = _text("SKU or FNSKU", "one product")
        self.timeline, self.life = w.Output(), w.HTML()

        self.settings: dict[str, w.Widget] = {}
        self.settings_box = w.VBox()
        self.try_out = w.Button(description="Reconcile again", icon="refresh")
        self.outcome = w.HTML()

        self.kind = w.Dropdown(
            description="Decision", options=[(f"{k}: {said}", k) for k, said in KINDS.items() if k != "reviewed"],
            style=_STYLE, layout=_WIDE,
        )  # fmt: skip
        self.who, self.note = _text("Who"), _text("Why", "one sentence")
        self.case, self.amount = _text("Case number"), _text("Amount", "like 12.34")
        self.decided_on = w.DatePicker(description="On (empty: now)", style=_STYLE)
        self.record = w.Button(description="Record", icon="check", button_style="warning")
        self.recorded = w.HTML()

        self.view = self._laid_out()

    def _laid_out(self) -> w.Widget:
        tabs = w.Tab(
            [
                self.evidence,
                w.VBox([w.HBox([self.number, self.unit]), self.timeline, self.life]),
                w.VBox([self.settings_box, self.try_out, self.outcome]),
                w.VBox([self.kind, w.HBox([self.who, self.case]), self.note, w.HBox([self.amount, self.decided_on]), self.record,
                        self.recorded]),
            ]
        )  # fmt: skip
        tabs.titles = ("Evidence", "Life", "What if", "Decide")
        top = w.HBox([self.folder, self.as_of, self.open])
        filters = w.HBox([self.audit, self.status, self.product, self.minimum], layout={"flex_flow": "row wrap"})
        style = w.HTML(explore_tables.STYLE)
        return w.VBox([style, top, self.message, filters, self.chart, self.findings, self.finding, tabs])


def _text(said: str, hint: str = "") -> w.Text:
    return w.Text(description=said, placeholder=hint, continuous_update=False, style=_STYLE, layout={"width": "32em"})


def refill(control: w.Dropdown, options: list[tuple[str, str]]) -> None:
    """New options; the choice stays where it is still offered, else it is the first one."""
    kept, offered = control.value, [value for _, value in options]
    control.options = options
    control.value = kept if kept in offered else (offered[0] if offered else None)


def draw(place: w.Output, figure: charts.Chart) -> None:
    """Shows `figure` in `place`, with the renderer whose settings leave out the button that uploads the data."""
    place.outputs = ({"output_type": "display_data", "data": figure.bundle(), "metadata": {}},)

"""The checks, as a plain list. Each is a pure function from the books of a day to an `AuditResult`."""

from __future__ import annotations

from recon_lib.audits import cash, fees, inbound, inventory, reimbursements, removals, returns, settlements
from recon_lib.audits.base import Audit, AuditResult

AUDITS: tuple[Audit, ...] = (
    *inventory.AUDITS,
    *inbound.AUDITS,
    *removals.AUDITS,
    *returns.AUDITS,
    *fees.FEE_AUDITS,
    *reimbursements.AUDITS,
    *settlements.AUDITS,
    *cash.AUDITS,
)

__all__ = ["AUDITS", "Audit", "AuditResult"]

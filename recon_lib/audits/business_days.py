"""Business days, by the public and bank holidays of a marketplace's country."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase


@cache
def _calendar(marketplace: str) -> HolidayBase:
    # Easter Monday is a bank holiday in England, not in the whole kingdom
    country, part = {"UK": ("GB", "ENG")}.get(marketplace, (marketplace, None))
    calendar = _calendar_class(country)
    known = calendar.supported_categories
    return calendar(subdiv=part, categories=tuple(c for c in ("public", "bank") if c in known))


def _calendar_class(country: str) -> type[HolidayBase]:
    """The calendar of one country from its own file: the package beside it would import all 250 countries."""
    import holidays  # slow to import, and needed only where money is due
    from holidays.registry import COUNTRIES

    module, names = next((module, names) for module, names in COUNTRIES.items() if country in names[1:])
    path = Path(holidays.__file__).with_name("countries") / f"{module}.py"
    spec = spec_from_file_location(f"{__name__}.{module}", path)
    assert spec is not None
    assert spec.loader is not None
    alone = module_from_spec(spec)
    spec.loader.exec_module(alone)
    found: type[HolidayBase] = getattr(alone, names[0])
    return found


def last_business_day(marketplace: str, day: date, count: int) -> date:
    """The `count`-th business day after `day`, by the public and bank holidays of the marketplace's country."""
    found = day if count == 0 else _calendar(marketplace).get_nth_working_day(day, count)
    return date(found.year, found.month, found.day)

# ruff: noqa: E501 - tables read best on one line
"""Units of time as questions write them, and moving by them: "3 wks", "两个月", the calendar month around a day."""

from datetime import datetime, timedelta

UNITS = {
    "minute": "minutes", "min": "minutes", "minutes": "minutes", "mins": "minutes", "分钟": "minutes",
    "hour": "hours", "hours": "hours", "h": "hours", "hr": "hours", "hrs": "hours", "小时": "hours", "钟头": "hours",
    "day": "days", "days": "days", "d": "days", "天": "days", "日": "days",
    "week": "weeks", "weeks": "weeks", "wk": "weeks", "wks": "weeks", "周": "weeks", "星期": "weeks", "礼拜": "weeks",
    "month": "months", "months": "months", "mo": "months", "mos": "months", "mth": "months", "mths": "months", "月": "months",
    "quarter": "quarters", "quarters": "quarters", "季度": "quarters", "季": "quarters",
    "year": "years", "years": "years", "yr": "years", "yrs": "years", "年": "years",
}  # fmt: skip
ENGLISH_UNIT = "minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|months?|mos?|mths?|quarters?|years?|yrs?"
HAN_UNIT = "分钟|小时|钟头|天|日|周|星期|礼拜|月|季度|年"
MONTHS = {
    "jan": 1, "january": 1, "feb": 2, "february": 2, "mar": 3, "march": 3, "apr": 4, "april": 4, "may": 5,
    "jun": 6, "june": 6, "jul": 7, "july": 7, "aug": 8, "august": 8, "sep": 9, "sept": 9, "september": 9,
    "oct": 10, "october": 10, "nov": 11, "november": 11, "dec": 12, "december": 12,
}  # fmt: skip


def shift(moment: datetime, amount: float, unit: str) -> datetime:
    """``moment`` moved by ``amount`` units; months and years keep the day or take the month's last."""
    if unit in {"minutes", "hours", "days", "weeks"}:
        return moment + timedelta(**{unit: amount})
    per_unit = {"months": 1, "quarters": 3, "years": 12}[unit]
    months = round(amount * per_unit)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    next_first = datetime(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_day = (next_first - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def count_back(moment: datetime, amount: float, unit: str) -> datetime:
    """The instant ``amount`` units before ``moment``, as the store's own date functions count it.

    A day that the month lacks runs over into the next one: a month before 31 March is 3 March.
    """
    if unit in {"minutes", "hours", "days", "weeks"}:
        return shift(moment, -amount, unit)
    return shift(moment.replace(day=1), -amount, unit) + timedelta(days=moment.day - 1)


def calendar_span(moment: datetime, unit: str) -> tuple[datetime, datetime]:
    """The calendar day, week (from Monday), month, quarter or year around ``moment``."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    first = {
        "days": day,
        "weeks": day - timedelta(days=day.weekday()),
        "months": day.replace(day=1),
        "quarters": day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1),
        "years": day.replace(day=1, month=1),
    }[unit]
    return first, shift(first, 1, unit)

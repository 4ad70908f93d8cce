//! Parts of dates and clock times: days and microseconds since 1970-01-01 come in, their parts go out. Proleptic Gregorian, no zones.

use table::calendar::{date_of, days_of};

/// Microseconds of a day.
pub(crate) const DAY: f64 = 86_400_000_000.0;

/// A part of a date or of a clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The year.
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// 1 to 31.
    Day,
    /// 1 to 366.
    DayOfYear,
    /// 0 is Monday.
    Weekday,
    /// 1 is Monday.
    WeekdayFromOne,
    /// 0 is Sunday.
    WeekdayFromSunday,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 to 59.
    Second,
}

impl Part {
    /// Every part, with the word for the log.
    pub(crate) const ALL: [(Part, &'static str); 11] = [
        (Part::Year, "year"),
        (Part::Quarter, "quarter"),
        (Part::Month, "month"),
        (Part::Day, "day of the month"),
        (Part::DayOfYear, "day of the year"),
        (Part::Weekday, "weekday"),
        (Part::WeekdayFromOne, "weekday"),
        (Part::WeekdayFromSunday, "weekday"),
        (Part::Hour, "hour"),
        (Part::Minute, "minute"),
        (Part::Second, "second"),
    ];

    /// The part of a moment in microseconds since 1970-01-01.
    pub(crate) fn of(self, micros: f64) -> f64 {
        let days = (micros / DAY).floor();
        let seconds = ((micros - days * DAY) / 1e6).floor() as i64;
        let days = days as i64;
        let part = match self {
            Part::Hour => seconds / 3600,
            Part::Minute => seconds / 60 % 60,
            Part::Second => seconds % 60,
            Part::Weekday => (days + 3).rem_euclid(7),
            Part::WeekdayFromOne => (days + 3).rem_euclid(7) + 1,
            Part::WeekdayFromSunday => (days + 4).rem_euclid(7),
            Part::Year => date_of(days).0,
            Part::Month => date_of(days).1,
            Part::Day => date_of(days).2,
            Part::Quarter => (date_of(days).1 + 2) / 3,
            Part::DayOfYear => days - days_of(date_of(days).0, 1, 1) + 1,
        };
        part as f64
    }
}

/// Days since 1970-01-01 where the three numbers are a date.
pub(crate) fn checked_days(year: f64, month: f64, day: f64) -> Option<i64> {
    let (y, m, d) = (year as i64, month as i64, day as i64);
    let fits = (1800..=2200).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d);
    let days = fits.then(|| days_of(y, m, d))?;
    (date_of(days) == (y, m, d)).then_some(days)
}

/// Days since 1970-01-01 of the date with this year, month, weekday (0 is Monday) and week of the month (0 holds the 1st
/// to the 7th). A week that the month does not have gives the week before.
pub(crate) fn day_in_week(year: f64, month: f64, weekday: f64, week: f64) -> Option<i64> {
    let first = checked_days(year, month, 1.0)?;
    let start = first + 7 * (week as i64).clamp(0, 4);
    let day = start + (weekday as i64 - (start + 3).rem_euclid(7)).rem_euclid(7);
    let (_, own, _) = date_of(day);
    Some(if own == month as i64 { day } else { day - 7 })
}

/// Days since 1970-01-01 of the date with this year, month and day; a day beyond the month's end gives its last.
pub(crate) fn day_in_month(year: f64, month: f64, day: f64) -> Option<i64> {
    let first = checked_days(year, month, 1.0)?;
    let last = (27..31).map(|more| first + more).filter(|&d| date_of(d).1 == month as i64).max()?;
    Some((first + day as i64 - 1).clamp(first, last))
}

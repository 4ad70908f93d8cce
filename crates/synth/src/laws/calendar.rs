//! The calendar: days and microseconds since 1970-01-01 come in, their parts go out. Proleptic Gregorian, no zones.

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

/// Days since 1970-01-01 of a date; the day may be any number.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last of its year.
    let months = month + 9;
    let year = year + months / 12 - 1;
    let in_year = (153 * (months % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year - 719_468
}

/// Year, month and day of days since 1970-01-01.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days.clamp(-400_000_000, 400_000_000) + 719_468;
    let era = shifted.div_euclid(146_097);
    let in_era = shifted.rem_euclid(146_097);
    let year_in_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let months = (5 * in_year + 2) / 153;
    let day = in_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    (era * 400 + year_in_era + (month <= 2) as i64, month, day)
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

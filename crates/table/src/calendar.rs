//! The Gregorian calendar: days since 1970-01-01 come in, dates go out, and back. For all who read, learn or show times.

/// Days from the first of March of the year 0 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// Days since 1970-01-01 of a Gregorian date. Years are counted from March, so that the leap day is
/// the last of its year (Hinnant, "chrono-compatible low-level date algorithms", 2014).
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 1
        - TO_1970
}

/// The Gregorian date (year, month, day) of a day since 1970-01-01; of days beyond a million years the last one that is
/// within.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    const DAYS_400_YEARS: i64 = 146_097;
    const DAYS_MAX: i64 = 400_000_000;
    let days = days.clamp(-DAYS_MAX, DAYS_MAX) + TO_1970;
    let (era, day) = (days.div_euclid(DAYS_400_YEARS), days.rem_euclid(DAYS_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + i64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

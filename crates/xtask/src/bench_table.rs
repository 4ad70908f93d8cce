//! Tables of any size for the benchmarks: numbers, dates, words and codes that depend on each other. In: rows and columns.
//! Out: CSV, row by row. The same size always gives the same bytes.

use std::io::{self, Write};

/// Kinds of columns; further ones repeat them.
const KINDS: usize = 10;
const CITIES: [&str; 8] = ["Graz", "Linz", "Wien", "Bern", "Basel", "Ulm", "Jena", "Kiel"];
const MINUTES_PER_YEAR: u64 = 525_600;

/// Writes a table with a header.
pub(crate) fn write(out: &mut impl Write, rows: u64, columns: usize) -> io::Result<()> {
    for column in 0..columns {
        let name = ["id", "city", "price", "count", "day", "paid", "cost", "shop", "seen", "score"][column % KINDS];
        let comma = if column > 0 { "," } else { "" };
        match column / KINDS {
            0 => write!(out, "{comma}{name}")?,
            group => write!(out, "{comma}{name}_{group}")?,
        }
    }
    out.write_all(b"\n")?;
    let mut dice = Dice(1);
    for row in 0..rows {
        let mut common = Common { row, level: 0.0, price: 0.0, city: 0 };
        for column in 0..columns {
            if column % KINDS == 0 {
                // Groups lean on the one before.
                common.level = 0.6 * common.level + dice.normal();
            }
            if column > 0 {
                out.write_all(b",")?;
            }
            cell(out, column, &mut common, &mut dice)?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// What the cells of a group share.
struct Common {
    row: u64,
    level: f64,
    price: f64,
    city: usize,
}

fn cell(out: &mut impl Write, column: usize, common: &mut Common, dice: &mut Dice) -> io::Result<()> {
    match column % KINDS {
        0 if column == 0 => write!(out, "{}", common.row + 1),
        // Codes of which there are many, some of them rare.
        0 => write!(out, "{}-{:04}", ["AX", "B", "CN"][dice.below(3)], dice.skewed(5_000)),
        1 => {
            common.city = ((common.level + 2.0).max(0.0) * 1.5 + 2.0 * dice.unit()) as usize % CITIES.len();
            write!(out, "{}", CITIES[common.city])
        }
        2 => {
            common.price = (2.0 + 0.3 * common.city as f64 + 0.5 * common.level + 0.4 * dice.normal()).exp();
            write!(out, "{:.2}", common.price)
        }
        3 => write!(out, "{}", (common.price / 8.0 + 4.0 * dice.unit()) as u64),
        4 => {
            let day = dice.below(365 * 3);
            write!(out, "20{}-{:02}-{:02}", 22 + day / 365, 1 + day % 365 / 31, 1 + day % 28)
        }
        5 => write!(out, "{}", if dice.normal() + common.level > 0.3 { "yes" } else { "no" }),
        6 => write!(out, "{:.2}", 1.2 * common.price + 3.0 + 0.5 * dice.normal()),
        7 => write!(out, "shop {}", dice.skewed(200)),
        8 => {
            let minute = dice.below(MINUTES_PER_YEAR as usize) as u64;
            let (day, minute) = (minute / 1440, minute % 1440);
            let (month, date) = (1 + day / 31, 1 + day % 28);
            write!(out, "2024-{month:02}-{date:02} {:02}:{:02}:{:02}", minute / 60, minute % 60, dice.below(60))
        }
        _ if dice.below(10) == 0 => Ok(()),
        _ => write!(out, "{}", (50.0 + 12.0 * common.level + 8.0 * dice.normal()) as i64),
    }
}

/// Sebastiano Vigna, SplitMix64 (2015).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f64) as usize
    }

    /// Small numbers are commoner: the density falls as one over the root.
    fn skewed(&mut self, bound: usize) -> usize {
        (self.unit().powi(2) * bound as f64) as usize
    }

    /// Nearly normal: Irwin and Hall's sum of uniform numbers, of mean 0 and variance 1.
    fn normal(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit() - 1.5) * 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_every_column_and_a_longer_table_begins_with_the_shorter() {
        let text = |rows, columns| {
            let mut out = Vec::new();
            write(&mut out, rows, columns).expect("memory takes it");
            String::from_utf8(out).expect("text")
        };
        let (short, long) = (text(50, 33), text(500, 33));
        assert!(long.starts_with(&short));
        assert_eq!((long.lines().count(), text(3, 1).lines().count()), (501, 4));
        assert!(long.lines().all(|line| line.split(',').count() == 33));
    }
}

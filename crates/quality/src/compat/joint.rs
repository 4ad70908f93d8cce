//! Rows of several tables as points of one space, as the documented attacks see them: numbers by rank, categories by the
//! bits of their number. In: a case. Out: coordinates between 0 and 1.

use crate::case::{Case, Side};
use crate::encode::{Cells, Role};
use crate::random::Random;
use crate::statistic::sorted;

/// Points, row by row.
pub(crate) struct Points {
    /// Coordinates of each column: the first and how many.
    pub(crate) spans: Vec<(usize, usize)>,
    /// Coordinates of one row.
    pub(crate) width: usize,
    /// Coordinates of each table, row after row.
    pub(crate) tables: Vec<Vec<f32>>,
}

impl Points {
    /// The first `rows` sampled rows of each side as points of the given columns. Ranks are those among all rows given.
    pub(crate) fn of(case: &Case, columns: &[usize], sides: &[(&Side, usize)]) -> Points {
        let mut spans = Vec::with_capacity(columns.len());
        let mut parts: Vec<Vec<Vec<f32>>> = Vec::with_capacity(columns.len());
        let mut width = 0;
        for &column in columns {
            let part = coordinates(case, column, sides);
            spans.push((width, part[0].len()));
            width += part[0].len();
            // Coordinate by coordinate of each side becomes side by side of each coordinate below.
            parts.push(part.into_iter().flatten().collect());
        }
        let tables = (0..sides.len())
            .map(|side| {
                let rows = sides[side].1;
                let mut points = vec![0f32; rows * width];
                for (part, &(first, count)) in parts.iter().zip(&spans) {
                    for coordinate in 0..count {
                        let values = &part[side * count + coordinate];
                        for (row, &value) in values.iter().enumerate() {
                            points[row * width + first + coordinate] = value;
                        }
                    }
                }
                points
            })
            .collect();
        Points { spans, width, tables }
    }

    /// One row of one table.
    pub(crate) fn row(&self, table: usize, row: usize) -> &[f32] {
        &self.tables[table][row * self.width..(row + 1) * self.width]
    }
}

/// Per side, the coordinates of a column; each as long as the side has rows.
fn coordinates(case: &Case, column: usize, sides: &[(&Side, usize)]) -> Vec<Vec<Vec<f32>>> {
    match &case.training.sample[column] {
        Cells::Numbers(_) => {
            let values: Vec<Vec<f64>> = sides
                .iter()
                .map(|(side, rows)| match &side.sample[column] {
                    Cells::Numbers(values) => {
                        values[..*rows].iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect()
                    }
                    Cells::Codes(_) => vec![0.0; *rows],
                })
                .collect();
            let pooled = sorted(&values.concat());
            let last = (pooled.len().max(2) - 1) as f64;
            // The middle of the ranks that a value has, as a uniform quantile transform gives it.
            let rank = |value: &f64| {
                let below = pooled.partition_point(|other| other < value) as f64;
                let upto = pooled.partition_point(|other| other <= value) as f64;
                (((below + upto - 1.0) / 2.0) / last) as f32
            };
            values.iter().map(|side| vec![side.iter().map(rank).collect()]).collect()
        }
        Cells::Codes(_) => {
            let bits = (usize::BITS - case.columns[column].levels.len().leading_zeros()).max(1) as usize;
            sides
                .iter()
                .map(|(side, rows)| {
                    let Cells::Codes(codes) = &side.sample[column] else { return vec![vec![0.0; *rows]; bits] };
                    (0..bits).map(|bit| codes[..*rows].iter().map(|code| (code >> bit & 1) as f32).collect()).collect()
                })
                .collect()
        }
    }
}

/// Columns that can be attacked: identifiers are left out, since each of their values is alone.
pub(crate) fn attacked(case: &Case) -> Vec<usize> {
    (0..case.columns.len()).filter(|&index| case.columns[index].role != Role::Id).collect()
}

/// The squared distance of two points, or something above `least` where it is more than that.
pub(crate) fn apart(a: &[f32], b: &[f32], least: f32) -> f32 {
    let mut sum = 0f32;
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        sum += a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        if sum > least {
            break;
        }
    }
    sum
}

/// A random order of so many things.
pub(crate) fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        order.swap(at, random.below(at + 1));
    }
    order
}

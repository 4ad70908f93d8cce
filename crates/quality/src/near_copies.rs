//! Near copies: do more synthetic rows single out one training row than real rows do? In: a case. Out: a score and both
//! shares.

use crate::agreement::{Leads, leads};
use crate::case::Case;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::excess;

/// Standard errors of a 95 % interval where the larger of two figures is taken: each is at 97.5 %.
const Z_OF_TWO: f64 = 2.24;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "near_copies",
    title: "Near copies",
    bands: [0.95, 0.85],
    aspect: Aspect::Privacy,
    about: "1 - how much larger, beyond chance, the share of synthetic rows that single out a training row is than that \
            of real rows, as a part of how much larger it is for copies: about the share of rows that are copies or \
            nearly. A row singles out a training row if it agrees with it in at least one column more than with \
            any other (or in at least two more; the larger excess counts). Numbers agree within a hundredth of the \
            training table's range, other cells where they are equal. Real rows are holdout rows, and training rows \
            with themselves left out; up to 2,000 rows of either against all training rows. Interval: Newcombe's for \
            the difference of two shares, each of the two at 97.5 %.",
    source: "Own, after the nearest-neighbour distance ratio (Lowe, \"Distinctive image features from scale-invariant \
             keypoints\", 2004): a lead over the next row is the same in sparse and dense places, and leaving training \
             rows out one by one gives it a measure that does not rest on a small holdout.",
    score,
};

/// How far apart copies and other rows have to be for the share of either to tell anything.
const ROOM_MIN: f64 = 0.05;

fn score(case: &Case) -> Outcome {
    let leads = match leads(case) {
        Ok(leads) => leads,
        Err(reason) => return Outcome::undefined(reason),
    };
    let tested: Vec<Lead> = [1, 2].into_iter().filter_map(|by| Lead::of(&leads, by)).collect();
    let Some(found) = tested.iter().max_by(|a, b| a.ends[0].total_cmp(&b.ends[0])) else {
        let sentence = "Rows are so alike that not even a copy would single out a training row.".to_string();
        let figures = vec![("excess", number(0.0)), ("rows_real", leads.real.len().into())];
        let nothing = Outcome::new(Score::Of(1.0), figures, sentence).below(Some(1.0)).give_or_take(Some(0.0));
        return nothing.gauged(0.0, [0.0, 0.0]);
    };
    let figures = vec![
        ("share_synthetic", number(found.synthetic)),
        ("share_holdout", number(found.real)),
        ("share_copy", number(found.copy)),
        ("columns_ahead", found.by.into()),
        ("excess", number(found.excess)),
        ("excess_low", number(found.ends[0])),
        ("excess_high", number(found.ends[1])),
        ("rows_synthetic", leads.synthetic.len().into()),
        ("rows_real", leads.real.len().into()),
    ];
    let more = if found.by == 1 { "one column" } else { "two columns" };
    let sentence = format!(
        "{:.1} % of synthetic rows agree with one training row in {more} more than with any other; of real rows, {:.1} % \
         do, of copies {:.1} %.",
        found.synthetic * 100.0,
        found.real * 100.0,
        found.copy * 100.0
    );
    Outcome::new(Score::bounded(1.0 - found.ends[0].max(0.0)), figures, sentence)
        .below(Some(1.0))
        .within(Some([1.0 - found.ends[1].max(0.0), 1.0 - found.ends[0].max(0.0)]))
        .gauged(found.excess, found.ends)
}

/// Who single out a training row by so many columns.
struct Lead {
    by: u16,
    synthetic: f64,
    real: f64,
    copy: f64,
    /// (synthetic - real) / (copy - real).
    excess: f64,
    ends: [f64; 2],
}

impl Lead {
    fn of(leads: &Leads, by: u16) -> Option<Lead> {
        let counted = |leads: &[u16]| (leads.iter().filter(|&&lead| lead >= by).count() as f64, leads.len() as f64);
        let (synthetic, real, copies) = (counted(&leads.synthetic), counted(&leads.real), counted(&leads.copies));
        let share = |(hits, rows): (f64, f64)| hits / rows.max(1.0);
        let room = share(copies) - share(real);
        let (beyond, ends) = excess(synthetic, real, Z_OF_TWO);
        let (synthetic, real, copy) = (share(synthetic), share(real), share(copies));
        (room >= ROOM_MIN).then(|| Lead {
            by,
            synthetic,
            real,
            copy,
            excess: beyond / room,
            ends: ends.map(|end| end / room),
        })
    }
}

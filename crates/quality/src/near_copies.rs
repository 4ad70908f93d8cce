//! Near copies: do more synthetic rows single out one training row than real rows do? In: a case. Out: a score and both
//! shares.

use crate::agreement::leads;
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
            of real rows. A row singles out a training row if it agrees with it in at least one column more than with \
            any other (or in at least two more; the larger excess counts). Numbers agree within a hundredth of the \
            training table's range, other cells where they are equal. Real rows are holdout rows, and training rows \
            with themselves left out; up to 2,000 rows of either against all training rows. Interval: Newcombe's for \
            the difference of two shares, each of the two at 97.5 %.",
    source: "Own, after the nearest-neighbour distance ratio (Lowe, \"Distinctive image features from scale-invariant \
             keypoints\", 2004): a lead over the next row is the same in sparse and dense places, and leaving training \
             rows out one by one gives it a measure that does not rest on a small holdout.",
    score,
};

fn score(case: &Case) -> Outcome {
    let leads = match leads(case) {
        Ok(leads) => leads,
        Err(reason) => return Outcome::undefined(reason),
    };
    let leading = |leads: &[u16], by: u16| leads.iter().filter(|&&lead| lead >= by).count() as f64;
    let of = |by: u16| {
        let real = (leading(&leads.real, by), leads.real.len() as f64);
        let synthetic = (leading(&leads.synthetic, by), leads.synthetic.len() as f64);
        let (beyond, ends) = excess(synthetic, real, Z_OF_TWO);
        (beyond, ends, synthetic.0 / synthetic.1, real.0 / real.1.max(1.0), by)
    };
    let (one, two) = (of(1), of(2));
    let (beyond, ends, synthetic, real, by) = if two.1[0] > one.1[0] { two } else { one };
    let figures = vec![
        ("share_synthetic", number(synthetic)),
        ("share_holdout", number(real)),
        ("columns_ahead", by.into()),
        ("excess", number(beyond)),
        ("excess_low", number(ends[0])),
        ("excess_high", number(ends[1])),
        ("rows_synthetic", leads.synthetic.len().into()),
        ("rows_real", leads.real.len().into()),
    ];
    let more = if by == 1 { "one column" } else { "two columns" };
    let sentence = format!(
        "{:.1} % of synthetic rows agree with one training row in {more} more than with any other; of real rows, \
         {:.1} % do.",
        synthetic * 100.0,
        real * 100.0
    );
    Outcome::new(Score::bounded(1.0 - ends[0].max(0.0)), figures, sentence)
        .below(Some(1.0))
        .within(Some([1.0 - ends[1].max(0.0), 1.0 - ends[0].max(0.0)]))
        .gauged(beyond, ends)
}

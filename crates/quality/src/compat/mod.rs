//! The scores of the documented reports, by their documented arithmetic, so that figures can be set beside older ones.
//! In: a case. Out: a Synthetic Quality Score, a Data Privacy Score, their parts, PII replay, and the JSON of both
//! generations. Their weaknesses are theirs; the metrics beside them are what a gate can rest on.

mod attributes;
mod correlation;
mod deep;
mod distribution;
mod downstream;
mod fields;
mod joint;
mod json;
mod membership;
mod replay;
mod text;

use crate::case::Case;
use crate::statistic::mean;
use fields::{FieldType, Prepared};

pub use downstream::{Ask, Downstream, Family, MEASURES, Measure, Task};
pub(crate) use replay::Replayed;

/// What of the documented evaluation is left out, and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Columns that an attacker is taken to know (`privacy_metrics.quasi_identifier_count`).
    pub quasi_identifier_count: usize,
    /// No membership inference attack (`privacy_metrics.skip_mia`).
    pub skip_membership: bool,
    /// No attribute inference attack (`privacy_metrics.skip_aia`).
    pub skip_attributes: bool,
    /// No search for replayed personal data (`pii_replay.skip`).
    pub skip_replay: bool,
    /// Kinds of personal data that are searched for (`pii_replay.entities`); all where the list is empty.
    pub replay_entities: Vec<String>,
    /// Most rows of either table (`sqs_report_rows`; 0 is all that were sampled).
    pub rows_max: usize,
    /// Most columns (`sqs_report_columns`; 0 is all).
    pub columns_max: usize,
    /// Most columns of the correlation matrices (`correlation_columns`; 0 is all that are compared).
    pub correlation_columns_max: usize,
    /// Columns that are compared in any case (`mandatory_columns`).
    pub mandatory_columns: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            quasi_identifier_count: 3,
            skip_membership: false,
            skip_attributes: false,
            skip_replay: false,
            replay_entities: Vec::new(),
            rows_max: 5_000,
            columns_max: 250,
            correlation_columns_max: 0,
            mandatory_columns: Vec::new(),
        }
    }
}

/// One score of the documented reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Documented {
    /// The measured quantity that the score is made of.
    pub raw: f64,
    /// Between 0 and 10, 10 being best, not rounded.
    pub score: f64,
}

impl Documented {
    /// The score of the current reports: one decimal.
    pub fn current(self) -> f64 {
        (self.score * 10.0).round() / 10.0
    }

    /// The score of the legacy reports: a whole number up to 100, rounded down.
    pub fn legacy(self) -> u64 {
        // A product such as 8.6 x 10 may fall short of the whole number that it stands for.
        (self.score * 10.0 + 1e-9).floor().max(0.0) as u64
    }

    /// `Very Poor`, `Poor`, `Moderate`, `Good` or `Excellent`.
    pub fn grade(self) -> &'static str {
        ["Very Poor", "Poor", "Moderate", "Good", "Excellent"][(self.score.floor().max(0.0) as usize / 2).min(4)]
    }

    /// `Poor`, `Moderate`, `Good`, `Very Good` or `Excellent`: the words for privacy.
    pub fn privacy_grade(self) -> &'static str {
        ["Poor", "Moderate", "Good", "Very Good", "Excellent"][(self.score.floor().max(0.0) as usize / 2).min(4)]
    }
}

/// The documented scores of a synthetic table; `None` where one cannot be computed or was left out.
pub struct Compat {
    pub(crate) prepared: Prepared,
    /// Column Distribution Stability, of the mean Jensen-Shannon distance of the tabular columns.
    pub distribution: Option<Documented>,
    /// Column Correlation Stability, of the mean absolute difference of the correlation matrices.
    pub correlation: Option<Documented>,
    /// Deep Structure Stability, of the mean Jensen-Shannon distance along two principal components.
    pub deep: Option<Documented>,
    /// Text Structure Similarity, of the mean Jensen-Shannon distance of lengths.
    pub text_structure: Option<Documented>,
    /// Text Semantic Similarity, of the largest one-sided distance of nearest texts.
    pub text_semantic: Option<Documented>,
    /// Synthetic Quality Score.
    pub quality: Option<Documented>,
    /// Membership Inference Protection, of the mean points of 360 attacks.
    pub membership: Option<Documented>,
    /// Attribute Inference Protection, of the mean weighted accuracy.
    pub attributes: Option<Documented>,
    /// Data Privacy Score: the mean of both protections.
    pub privacy: Option<Documented>,
    /// Personal data of the training table that the synthetic table holds, by column.
    pub(crate) replay: Vec<Replayed>,
    pub(crate) matrices: Option<[Vec<Vec<f64>>; 2]>,
    pub(crate) components: Option<[[Vec<f64>; 2]; 2]>,
}

/// Computes the scores.
pub(crate) fn compat(case: &Case, settings: &Settings) -> Compat {
    let prepared = Prepared::of(case, settings);
    let ((distribution, matrices), (components, texts)) = rayon::join(
        || (distribution::distances(&prepared), correlation::matrices(&prepared, settings.correlation_columns_max)),
        || (deep::components(&prepared), text::distances(case, &prepared)),
    );
    let (membership, attributes) = rayon::join(
        || (!settings.skip_membership).then(|| membership::protection(case)).flatten(),
        || (!settings.skip_attributes).then(|| attributes::protection(case, settings.quasi_identifier_count)).flatten(),
    );
    let distribution = mean(&distribution).map(distribution_score);
    let correlation =
        matrices.as_ref().map(|matrices| correlation_score(correlation::difference(&matrices[0], &matrices[1])));
    let deep = components.as_ref().and_then(deep::distance).map(deep_score);
    let (text_structure, text_semantic) = (texts.structure.map(structure_score), texts.semantic);
    let counted = |types: &[FieldType]| prepared.fields.iter().filter(|f| types.contains(&f.kind)).count() as f64;
    let tabular = weighted(&[(0.84, deep), (0.86, distribution), (1.0, correlation)]);
    let text = weighted(&[(0.7, text_semantic), (0.3, text_structure)]);
    let quality = weighted_scores(&[
        (counted(&[FieldType::Binary, FieldType::Categorical, FieldType::Numeric]), tabular),
        (counted(&[FieldType::Text]), text),
    ]);
    let whole = |score: f64| Documented { raw: score, score };
    let privacy = weighted(&[(1.0, membership), (1.0, attributes)]).map(whole);
    Compat {
        distribution,
        correlation,
        deep,
        text_structure,
        text_semantic,
        quality: quality.map(whole),
        membership,
        attributes,
        privacy,
        replay: if settings.skip_replay { Vec::new() } else { replay::replayed(case, &settings.replay_entities) },
        prepared,
        matrices,
        components,
    }
}

/// The weighted mean of the scores that there are.
fn weighted(parts: &[(f64, Option<Documented>)]) -> Option<f64> {
    weighted_scores(&parts.iter().map(|(weight, part)| (*weight, part.map(|part| part.score))).collect::<Vec<_>>())
}

fn weighted_scores(parts: &[(f64, Option<f64>)]) -> Option<f64> {
    let there = || parts.iter().filter_map(|(weight, score)| score.map(|score| (*weight, score)));
    let weights: f64 = there().map(|(weight, _)| weight).sum();
    (weights > 0.0).then(|| there().map(|(weight, score)| weight * score).sum::<f64>() / weights)
}

/// The score of a mean Jensen-Shannon distance.
fn distribution_score(x: f64) -> Documented {
    let score = match x {
        _ if x < 0.02 => 10.0,
        _ if x > 0.99 => 0.0,
        _ => 7.44 * x * x - 16.646 * x + 10.305,
    };
    Documented { raw: x, score: score.clamp(0.0, 10.0) }
}

/// The score of a mean absolute difference of correlations.
fn correlation_score(y: f64) -> Documented {
    let score = match y {
        _ if y < 0.01 => 10.0,
        _ if y > 0.46 => 0.0,
        _ => 37.562 * y * y - 35.643 * y + 10.056,
    };
    Documented { raw: y, score: score.clamp(0.0, 10.0) }
}

/// The score of a mean distance along principal components.
fn deep_score(z: f64) -> Documented {
    Documented { raw: z, score: 10.0 * (-1.6 * z).exp() }
}

/// The score of a mean distance of text lengths.
fn structure_score(d: f64) -> Documented {
    let score = match d {
        _ if d < 0.12 => 10.0,
        _ if d > 0.8 => 1.5,
        _ => 11.5 - 12.5 * d,
    };
    Documented { raw: d, score }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The figures of a real legacy report of Adult, 5,000 rows: mean absolute error and mean divergence, and the scores
    // that were printed for them. Its deep structure has a curve of its own and is taken as printed.
    #[test]
    fn the_scores_of_a_real_report_come_out_to_the_digit() {
        let (correlation, distribution) = (correlation_score(0.041717), distribution_score(0.068760));
        assert_eq!((correlation.legacy(), distribution.legacy()), (86, 91));
        let printed = |score: u64| Some(Documented { raw: 0.0, score: score as f64 });
        let parts = [(0.84, printed(80)), (0.86, printed(distribution.legacy())), (1.0, printed(correlation.legacy()))];
        let quality = weighted(&parts).map(|score| (score * 1e4).round() / 1e4);
        assert_eq!(quality, Some(85.7259));
        assert_eq!((Documented { raw: 0.0, score: 8.57259 }).grade(), "Excellent");
    }

    #[test]
    fn scores_end_where_their_curves_do() {
        assert_eq!([0.0, 0.019, 1.0].map(|x| distribution_score(x).score), [10.0, 10.0, 0.0]);
        assert_eq!([0.0, 0.009, 0.5].map(|y| correlation_score(y).score), [10.0, 10.0, 0.0]);
        assert_eq!([0.0, 0.11, 0.9].map(|d| structure_score(d).score), [10.0, 10.0, 1.5]);
        assert_eq!(
            [0.0, 1.99, 2.0, 9.9, 10.0].map(|score| (Documented { raw: 0.0, score }).grade()),
            ["Very Poor", "Very Poor", "Poor", "Excellent", "Excellent"]
        );
        assert_eq!(weighted(&[(1.0, None), (2.0, None)]), None);
    }
}

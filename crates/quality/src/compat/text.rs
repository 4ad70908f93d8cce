//! Text metrics. In: a case and its prepared fields. Out: how alike texts are built, and how near synthetic texts lie to
//! training texts and to unseen ones. Texts are compared by the words they share: there is no language model here, so the
//! semantic figure is of the documented form and not of the documented embedding.

use rayon::prelude::*;

use super::Documented;
use super::distribution::numeric_distance;
use super::fields::{FieldType, Prepared};
use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::random::mix;
use crate::statistic::{kolmogorov_smirnov_above, mean, sorted};

/// Coordinates of a text.
const WIDTH: usize = 128;
/// Texts of each table that are compared.
const TEXTS_MAX: usize = 1_000;
/// Texts of training and holdout below which nothing is compared.
const TEXTS_MIN: usize = 200;

/// The text figures, averaged over text columns.
pub(crate) struct TextDistances {
    /// Mean Jensen-Shannon distance of sentences, words a sentence and letters a word.
    pub(crate) structure: Option<f64>,
    /// The semantic score.
    pub(crate) semantic: Option<Documented>,
}

/// Compares the texts.
pub(crate) fn distances(case: &Case, prepared: &Prepared) -> TextDistances {
    let texts: Vec<usize> =
        prepared.fields.iter().filter(|field| field.kind == FieldType::Text).map(|field| field.index).collect();
    let structures: Vec<f64> = texts.iter().filter_map(|&column| structure(case, column, prepared.rows)).collect();
    let semantics: Vec<(f64, f64)> = texts.iter().filter_map(|&column| semantic(case, column)).collect();
    let raw = mean(&semantics.iter().map(|s| s.0).collect::<Vec<_>>());
    let score = mean(&semantics.iter().map(|s| s.1).collect::<Vec<_>>());
    let semantic = raw.zip(score).map(|(raw, score)| Documented { raw, score });
    TextDistances { structure: mean(&structures), semantic }
}

fn texts_of<'a>(case: &'a Case, side: &Side, column: usize, rows: usize) -> Vec<&'a str> {
    let Cells::Codes(codes) = &side.sample[column] else { return Vec::new() };
    let levels = &case.columns[column].levels;
    codes.iter().take(rows).filter(|&&code| code > 0).map(|&code| levels[code as usize - 1].as_str()).collect()
}

fn structure(case: &Case, column: usize, rows: usize) -> Option<f64> {
    let built = [&case.training, &case.synthetic].map(|side| {
        let counts: Vec<[f64; 3]> = texts_of(case, side, column, rows).into_iter().map(built).collect();
        [0, 1, 2].map(|at| counts.iter().map(|count| count[at]).collect::<Vec<f64>>())
    });
    mean(&[0, 1, 2].map(|at| numeric_distance(&built[0][at], &built[1][at])))
}

/// Sentences, words a sentence, letters a word.
fn built(text: &str) -> [f64; 3] {
    let sentences =
        text.split(['.', '。', '?', '!', '…', ':', ';']).filter(|part| !part.trim().is_empty()).count().max(1) as f64;
    let words = text.split_whitespace().count() as f64;
    let letters: usize = text.split_whitespace().map(|word| word.chars().count()).sum();
    [sentences, words / sentences, letters as f64 / words.max(1.0)]
}

/// The larger of both one-sided distances, and the score of both.
fn semantic(case: &Case, column: usize) -> Option<(f64, f64)> {
    let holdout = case.holdout.as_ref()?;
    let embed = |side: &Side| -> Vec<[f32; WIDTH]> {
        texts_of(case, side, column, TEXTS_MAX).into_par_iter().map(embedded).collect()
    };
    let (training, unseen, synthetic) = (embed(&case.training), embed(holdout), embed(&case.synthetic));
    if training.len() + unseen.len() < TEXTS_MIN || synthetic.is_empty() || unseen.is_empty() {
        return None;
    }
    let nearest = |from: &[[f32; WIDTH]], to: &[[f32; WIDTH]], own: bool| -> Vec<f64> {
        let near = |at: usize, text: &[f32; WIDTH]| {
            let cosine = |other: &[f32; WIDTH]| text.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
            let others = to.iter().enumerate().filter(|(other, _)| !own || *other != at);
            others.map(|(_, other)| cosine(other)).fold(-1f32, f32::max) as f64
        };
        let all: Vec<f64> = from.par_iter().enumerate().map(|(at, text)| near(at, text)).collect();
        sorted(&all)
    };
    // Over-fitted where synthetic texts lie nearer to training texts than those do to each other; under-fitted where they
    // lie farther from unseen texts than those do from each other.
    let over = kolmogorov_smirnov_above(&nearest(&synthetic, &training, false), &nearest(&training, &training, true))?;
    let under = kolmogorov_smirnov_above(&nearest(&unseen, &unseen, true), &nearest(&synthetic, &unseen, false))?;
    Some((over.max(under), 10.0 * (-over).exp() * (-under).exp()))
}

/// A text as the signed, hashed counts of its words, of length one (Weinberger et al. 2009, "Feature hashing").
fn embedded(text: &str) -> [f32; WIDTH] {
    let mut sum = [0f32; WIDTH];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let print = word.to_lowercase().bytes().fold(0, |print, byte| mix(print ^ byte as u64));
        sum[print as usize % WIDTH] += if print >> 63 == 1 { 1.0 } else { -1.0 };
    }
    let size = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
    if size > 0.0 {
        sum.iter_mut().for_each(|v| *v /= size);
    }
    sum
}

//! The JSON of both generations of the documented reports. In: a case and its documented scores. Out: objects with the
//! documented keys.

use serde_json::{Map, Value, json};

use super::fields::{Features, Field, FieldType};
use super::{Compat, Documented, distribution};
use crate::case::Case;
use crate::metric::number;
use crate::rare_values::RARE_ROWS;

impl Compat {
    /// Names and scores as the newer reports sum them up, 0 to 100 each: what clients show and tuners read.
    pub fn summary(&self) -> Vec<(&'static str, u64)> {
        let quality = [
            ("synthetic_data_quality_score", self.quality),
            ("column_correlation_stability", self.correlation),
            ("deep_structure_stability", self.deep),
            ("column_distribution_stability", self.distribution),
            ("field_correlation_stability", self.correlation),
            ("principal_component_stability", self.deep),
            ("field_distribution_stability", self.distribution),
            ("text_structure_similarity", self.text_structure),
            ("text_semantic_similarity", self.text_semantic),
        ];
        let privacy = [
            ("membership_inference_attack_score", self.membership),
            ("attribute_inference_attack_score", self.attributes),
            ("data_privacy_score", self.privacy),
        ];
        quality.into_iter().chain(privacy).filter_map(|(name, score)| Some((name, score?.legacy()))).collect()
    }

    /// The current generation (`evaluation_metrics.json`): scores from 0 to 10 with one decimal, null where there is none.
    pub fn current_json(&self) -> Value {
        let score = |score: Option<Documented>| score.map_or(Value::Null, |score| number(score.current()));
        json!({
            "synthetic_data_quality_score": score(self.quality),
            "column_correlation_stability_score": score(self.correlation),
            "deep_structure_stability_score": score(self.deep),
            "column_distribution_stability_score": score(self.distribution),
            "text_semantic_similarity_score": score(self.text_semantic),
            "text_structure_similarity_score": score(self.text_structure),
            "data_privacy_score": score(self.privacy),
            "membership_inference_protection_score": score(self.membership),
            "attribute_inference_protection_score": score(self.attributes),
            "pii_replay": self.replay.iter().map(|replayed| json!({
                "column": replayed.column, "entity": replayed.entity, "total": replayed.total,
                "unique": replayed.distinct, "replayed": replayed.replayed,
                "unique_replayed": replayed.distinct_replayed, "percent": replayed.percent(),
            })).collect::<Vec<Value>>(),
        })
    }

    /// Names and scores as the documented reports of version-2 workflows have them, 0 to 100, null where there is none.
    pub(crate) fn step_scores(&self) -> Map<String, Value> {
        let scores = [
            ("synthetic_quality_score", self.quality),
            ("column_correlation_stability", self.correlation),
            ("deep_structure_stability", self.deep),
            ("column_distribution_stability", self.distribution),
            ("text_semantic_similarity", self.text_semantic),
            ("text_structure_similarity", self.text_structure),
            ("data_privacy_score", self.privacy),
            ("membership_inference_protection_score", self.membership),
            ("attribute_inference_protection_score", self.attributes),
        ];
        let value = |score: Option<Documented>| score.map_or(Value::Null, |score| score.legacy().into());
        scores.into_iter().map(|(name, score)| (name.into(), value(score))).collect()
    }

    /// The legacy generation (`report_json`): scores from 0 to 100, the summary of the newer reports beside them. Values
    /// that fewer than five training rows hold are not shown.
    pub(crate) fn legacy_json(&self, case: &Case) -> Value {
        let graded = |score: Option<Documented>| {
            score.map_or(
                Value::Null,
                |score| json!({ "raw_score": number(score.raw), "grade": score.grade(), "score": score.legacy() }),
            )
        };
        let protected = |score: Option<Documented>| {
            score.map_or(Value::Null, |score| {
                json!({ "raw_score": number(score.raw), "grade": score.privacy_grade(), "score": score.legacy() })
            })
        };
        let mut tabular = self.prepared.tabular();
        tabular.truncate(self.matrices.as_ref().map_or(0, |matrices| matrices[0].len()));
        let matrix = |side: usize| {
            let Some(matrices) = &self.matrices else { return json!({}) };
            named(&tabular, |row, column| matrices[side][row][column])
        };
        let apart = self.matrices.as_ref().map_or(json!({}), |both| {
            named(&tabular, |row, column| (both[0][row][column] - both[1][row][column]).abs())
        });
        let components = |side: usize| {
            let Some(components) = &self.components else { return json!({}) };
            let list = |axis: &Vec<f64>| axis.iter().map(|&at| number(at)).collect::<Vec<Value>>();
            json!({ "pc1": list(&components[side][0]), "pc2": list(&components[side][1]) })
        };
        let scores = |list: Vec<(&'static str, u64)>| {
            list.into_iter().map(|(field, value)| json!({ "field": field, "value": value })).collect::<Vec<Value>>()
        };
        json!({
            "summary": scores(self.summary()),
            "synthetic_data_quality_score": graded(self.quality),
            "field_correlation_stability": graded(self.correlation),
            "principal_component_stability": graded(self.deep),
            "field_distribution_stability": graded(self.distribution),
            "column_correlation_stability": graded(self.correlation),
            "deep_structure_stability": graded(self.deep),
            "column_distribution_stability": graded(self.distribution),
            "text_structure_similarity": graded(self.text_structure),
            "text_semantic_similarity": graded(self.text_semantic),
            "membership_inference_attack_score": protected(self.membership),
            "attribute_inference_attack_score": protected(self.attributes),
            "data_privacy_score": protected(self.privacy),
            "left_rows": case.training.rows, "left_cols": case.columns.len(),
            "right_rows": case.synthetic.rows, "right_cols": case.columns.len(),
            "memorized_lines": memorized(case),
            "mean_absolute_error": self.correlation.map_or(Value::Null, |score| number(score.raw)),
            "average_divergence": self.distribution.map_or(Value::Null, |score| number(score.raw)),
            "left_correlation": matrix(0), "right_correlation": matrix(1), "correlation_difference": apart,
            "left_pca": components(0), "right_pca": components(1),
            "fields": self.prepared.fields.iter().map(field_json).collect::<Vec<Value>>(),
            "fatal_error": Value::Null,
        })
    }
}

fn named(fields: &[&Field], cell: impl Fn(usize, usize) -> f64) -> Value {
    let row = |row: usize| {
        let cells = fields.iter().enumerate().map(|(column, field)| (field.name.clone(), number(cell(row, column))));
        Value::Object(cells.collect::<Map<String, Value>>())
    };
    Value::Object(fields.iter().enumerate().map(|(at, field)| (field.name.clone(), row(at))).collect())
}

/// Different rows that both tables hold.
fn memorized(case: &Case) -> usize {
    let training = case.training.distinct_fingerprints();
    let synthetic = case.synthetic.distinct_fingerprints();
    synthetic.iter().filter(|row| training.binary_search(row).is_ok()).count()
}

fn field_json(field: &Field) -> Value {
    let (left, right) = distributions(field);
    let divergence = field.kind.tabular().then(|| distribution::distance(field));
    let stability = divergence.map_or(Value::Null, |distance| {
        let score = super::distribution_score(distance);
        json!({ "raw_score": number(score.raw), "grade": score.grade(), "score": score.legacy() })
    });
    json!({
        "name": field.name,
        "left_field_features": features(field, &field.features[0]),
        "right_field_features": features(field, &field.features[1]),
        "left_distribution": left, "right_distribution": right,
        "distribution_distance": divergence.map_or(Value::Null, number),
        "distribution_stability": stability,
    })
}

fn features(field: &Field, features: &Features) -> Value {
    let rows = features.count + features.missing;
    let percent = |part: usize| number(100.0 * part as f64 / rows.max(1) as f64);
    json!({
        "name": field.name, "type": field.kind.word(), "count": features.count,
        "unique_count": features.unique, "unique_percent": percent(features.unique),
        "missing_count": features.missing, "missing_percent": percent(features.missing),
        "min_str_length": features.lengths[0], "max_str_length": features.lengths[2],
        "avg_str_length": number(features.lengths[1]),
    })
}

/// Shares in percent by value for categories, as fractions by interval for numbers; nothing for other fields.
fn distributions(field: &Field) -> (Value, Value) {
    if field.kind == FieldType::Numeric {
        let pooled: Vec<f64> = field.numbers.concat().into_iter().filter(|value| !value.is_nan()).collect();
        let edges = distribution::edges(&pooled);
        let side = |at: usize| {
            let counts = distribution::histogram(&field.numbers[at], &edges);
            let all = counts.iter().sum::<f64>().max(1.0);
            let label = |bin: usize| format!("({:.4}, {:.4}]", edges[bin], edges[bin + 1]);
            Value::Object(counts.iter().enumerate().map(|(bin, count)| (label(bin), number(count / all))).collect())
        };
        return (side(0), side(1));
    }
    if !field.kind.tabular() {
        return (json!({}), json!({}));
    }
    let counted = |at: usize| {
        let mut counts = vec![0usize; field.levels + 1];
        field.codes[at].iter().for_each(|&code| counts[code as usize] += 1);
        counts
    };
    let training = counted(0);
    let side = |at: usize| {
        let counts = counted(at);
        let all = (field.codes[at].len() - counts[0]).max(1) as f64;
        let shown = field.words.iter().enumerate().filter(|(level, _)| training[level + 1] >= RARE_ROWS);
        let entry = |(level, word): (usize, &String)| (word.clone(), number(100.0 * counts[level + 1] as f64 / all));
        Value::Object(shown.map(entry).collect())
    };
    (side(0), side(1))
}

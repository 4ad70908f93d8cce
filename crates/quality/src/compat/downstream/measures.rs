//! How well predictions fit. In: what was so and what was predicted. Out: the documented measures by name; a measure that
//! cannot be computed is left undefined, never NaN.

use super::Task;
use crate::statistic::{auc, mean, r_squared};

/// A documented measure of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in configs and in the JSON.
    pub name: &'static str,
    /// Its name on the page.
    pub title: &'static str,
    /// The kind of model that it speaks of.
    pub task: Task,
    /// Whether it is an error: less is better, and 0 is best.
    pub error: bool,
}

const fn measure(name: &'static str, title: &'static str, task: Task, error: bool) -> Measure {
    Measure { name, title, task, error }
}

/// Every measure, those of a task together, its default first.
pub static MEASURES: &[Measure] = &[
    measure("acc", "Accuracy", Task::Classification, false),
    measure("auc", "AUC", Task::Classification, false),
    measure("recall", "Recall", Task::Classification, false),
    measure("precision", "Precision", Task::Classification, false),
    measure("f1", "F1", Task::Classification, false),
    measure("kappa", "Kappa", Task::Classification, false),
    measure("mcc", "MCC", Task::Classification, false),
    measure("r2", "R squared", Task::Regression, false),
    measure("mae", "MAE", Task::Regression, true),
    measure("mse", "MSE", Task::Regression, true),
    measure("rmse", "RMSE", Task::Regression, true),
    measure("rmsle", "RMSLE", Task::Regression, true),
    measure("mape", "MAPE", Task::Regression, true),
];

/// The measures of a task, in the order of [`MEASURES`].
pub(super) fn of_task(task: Task) -> impl Iterator<Item = &'static Measure> {
    MEASURES.iter().filter(move |measure| measure.task == task)
}

/// What a model reaches by every measure of its task, in the order of [`of_task`].
pub(super) type Reached = Vec<Option<f64>>;

/// The measures of class probabilities, row by row `classes` of them. Of two classes recall, precision and F1 are those
/// of the second; of more they are means over the classes, weighted by the rows of each. AUC is the mean over the
/// classes, one against the rest. Kappa is Cohen's, MCC the correlation of Matthews as Gorodkin extended it to more
/// classes.
pub(super) fn of_classes(truths: &[u32], probabilities: &[f64], classes: usize) -> Reached {
    let predicted = probabilities.chunks_exact(classes).map(|of_row| {
        // Of equal ones the first: the commonest class.
        (0..classes).rev().max_by(|&a, &b| of_row[a].total_cmp(&of_row[b])).unwrap_or(0)
    });
    let mut confusion = vec![vec![0.0; classes]; classes];
    truths.iter().zip(predicted).for_each(|(&truth, predicted)| confusion[truth as usize][predicted] += 1.0);
    let rows = truths.len() as f64;
    let of_truth: Vec<f64> = confusion.iter().map(|of_class| of_class.iter().sum()).collect();
    let of_answer: Vec<f64> =
        (0..classes).map(|class| confusion.iter().map(|of_class| of_class[class]).sum()).collect();
    let right: f64 = (0..classes).map(|class| confusion[class][class]).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let of_class = |class: usize| {
        let hits = confusion[class][class];
        let (recall, precision) = (share(hits, of_truth[class]), share(hits, of_answer[class]));
        [recall, precision, share(2.0 * hits, of_truth[class] + of_answer[class])]
    };
    let [recall, precision, f1] = if classes == 2 {
        of_class(1)
    } else {
        (0..classes).fold([0.0; 3], |sums, class| {
            let of_class = of_class(class);
            std::array::from_fn(|at| sums[at] + of_class[at] * of_truth[class] / rows.max(1.0))
        })
    };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let chance = product(&of_truth, &of_answer) / (rows * rows);
    let accuracy = right / rows;
    let spread = |of: &[f64]| rows * rows - product(of, of);
    let mcc = (right * rows - product(&of_truth, &of_answer)) / (spread(&of_truth) * spread(&of_answer)).sqrt();
    let areas = (0..classes).skip(usize::from(classes == 2)).filter_map(|class| {
        let scores: Vec<f64> = probabilities.iter().skip(class).step_by(classes).copied().collect();
        auc(&scores, &truths.iter().map(|&truth| truth as usize == class).collect::<Vec<_>>())
    });
    let area = mean(&areas.collect::<Vec<_>>());
    let kappa = (accuracy - chance) / (1.0 - chance);
    // A model that always says the same has no spread of answers: no more than chance, by convention 0.
    let bounded = |value: f64| Some(if value.is_finite() { value } else { 0.0 });
    vec![Some(accuracy), area, Some(recall), Some(precision), Some(f1), bounded(kappa), bounded(mcc)]
        .into_iter()
        .map(|value| value.filter(|value| value.is_finite()))
        .collect()
}

/// The measures of predicted numbers. RMSLE is there where no value is -1 or less, MAPE is over the values that are not 0.
pub(super) fn of_numbers(truths: &[f64], predicted: &[f64]) -> Reached {
    let over = |of: &dyn Fn(f64, f64) -> f64| {
        mean(&truths.iter().zip(predicted).map(|(&truth, &predicted)| of(truth, predicted)).collect::<Vec<_>>())
    };
    let squares = over(&|truth, predicted| (truth - predicted).powi(2));
    let above = truths.iter().chain(predicted).all(|&value| value > -1.0);
    let logs = above.then(|| over(&|truth, predicted| (truth.ln_1p() - predicted.ln_1p()).powi(2))).flatten();
    let parts = truths.iter().zip(predicted).filter(|(truth, _)| **truth != 0.0);
    let parts: Vec<f64> = parts.map(|(truth, predicted)| ((truth - predicted) / truth).abs()).collect();
    vec![
        r_squared(truths, predicted),
        over(&|truth, predicted| (truth - predicted).abs()),
        squares,
        squares.map(f64::sqrt),
        logs.map(f64::sqrt),
        mean(&parts),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    // Worked by hand: 4 of class 0 with 3 right, 4 of class 1 with 2 right.
    #[test]
    fn measures_of_classes_follow_their_formulas() {
        let truths = [0, 0, 0, 0, 1, 1, 1, 1];
        let of_second = [0.1, 0.2, 0.3, 0.8, 0.9, 0.7, 0.4, 0.25];
        let probabilities: Vec<f64> = of_second.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let reached: Vec<f64> = of_classes(&truths, &probabilities, 2).into_iter().flatten().collect();
        let wanted = [0.625, 12.0 / 16.0, 0.5, 2.0 / 3.0, 4.0 / 7.0, 0.25, 0.2581988897];
        for (reached, wanted) in reached.iter().zip(wanted) {
            assert!((reached - wanted).abs() < 1e-9, "{reached} is not {wanted}");
        }
        let constant = of_classes(&truths, &[0.7, 0.3].repeat(8), 2);
        assert_eq!(constant[5..], [Some(0.0), Some(0.0)], "one answer is no better than chance");
    }

    #[test]
    fn measures_of_numbers_follow_their_formulas() {
        let reached = of_numbers(&[1.0, 2.0, 3.0, 0.0], &[2.0, 2.0, 1.0, 1.0]);
        let wanted = [1.0 - 6.0 / 5.0, 1.0, 1.5, 1.5f64.sqrt()];
        for (reached, wanted) in reached.iter().flatten().zip(wanted) {
            assert!((reached - wanted).abs() < 1e-12, "{reached} is not {wanted}");
        }
        assert!((reached[5].expect("three values are not 0") - (1.0 + 0.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!(of_numbers(&[-2.0, 1.0], &[0.0, 0.0])[4], None);
    }
}

//! Small statistics. In: slices of numbers. Out: a number, or `None` where there is none; never NaN.

/// The area under the ROC curve: how often a row of the class scores higher than one that is not, ties half. `None`
/// without rows of both.
pub(crate) fn auc(scores: &[f64], of_class: &[bool]) -> Option<f64> {
    let mut ranked: Vec<(f64, bool)> = scores.iter().copied().zip(of_class.iter().copied()).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = ranked.iter().filter(|(_, of_class)| *of_class).count() as f64;
    let negatives = ranked.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let inside = tied.iter().filter(|(_, of_class)| *of_class).count() as f64;
        let outside = tied.len() as f64 - inside;
        wins += inside * (below + outside / 2.0);
        below += outside;
    }
    Some(wins / (positives * negatives))
}

/// The share of the variance that predictions explain; `None` where there is no variance.
pub(crate) fn r_squared(truths: &[f64], predictions: &[f64]) -> Option<f64> {
    let mean = mean(truths)?;
    let around_mean: f64 = truths.iter().map(|truth| (truth - mean).powi(2)).sum();
    let around_line: f64 = truths.iter().zip(predictions).map(|(truth, predicted)| (truth - predicted).powi(2)).sum();
    let explained = 1.0 - around_line / around_mean;
    explained.is_finite().then_some(explained)
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64).filter(|mean| mean.is_finite())
}

/// The quantile of ascending values, linear between neighbours; `None` of nothing.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    let part = place - place.floor();
    Some(low * (1.0 - part) + high * part)
}

/// The numbers without NaN, ascending.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The largest distance of two empirical distributions of ascending values (Kolmogorov and Smirnov); `None` where
/// either is empty.
pub(crate) fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (mut i, mut j, mut widest) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        widest = widest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    Some(widest)
}

/// How much more of `higher` than of `lower` lies above some value, at most: the one-sided distance of two empirical
/// distributions of ascending values (Smirnov); `None` where either is empty.
pub(crate) fn kolmogorov_smirnov_above(higher: &[f64], lower: &[f64]) -> Option<f64> {
    if higher.is_empty() || lower.is_empty() {
        return None;
    }
    let above =
        |values: &[f64], limit: f64| 1.0 - values.partition_point(|value| *value <= limit) as f64 / values.len() as f64;
    let excess = higher.iter().chain(lower).map(|&limit| above(higher, limit) - above(lower, limit));
    Some(excess.fold(0.0, f64::max))
}

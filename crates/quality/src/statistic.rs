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

/// Standard errors to either side that make a 95 % interval.
pub(crate) const Z95: f64 = 1.96;
/// Groups of rows that a jackknife leaves out in turn.
pub(crate) const GROUPS: usize = 20;
/// The 97.5 % point of Student's t with one degree of freedom less than there are groups.
const T_GROUPS: f64 = 2.093;

/// The area under the ROC curve and its standard error: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under
/// two or more correlated receiver operating characteristic curves", 1988. With a = the share of rows of the other kind
/// that each row outranks (ties half), the variance is var(a over the class) / n1 + var(a over the rest) / n0. It is
/// never taken for less than that of 1 row in 2 (n + 2) ranked wrongly, so that a perfect AUC of few rows keeps an error.
pub(crate) fn auc_with_error(scores: &[f64], of_class: &[bool]) -> Option<(f64, f64)> {
    let area = auc(scores, of_class)?;
    let mut sides: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    scores.iter().zip(of_class).for_each(|(&score, &of_class)| sides[usize::from(of_class)].push(score));
    sides.iter_mut().for_each(|side| side.sort_unstable_by(f64::total_cmp));
    let mut variance = 0.0;
    for (mine, other) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
        let places: Vec<f64> = mine
            .iter()
            .map(|score| {
                let (below, up_to) =
                    (other.partition_point(|other| other < score), other.partition_point(|other| other <= score));
                (below + up_to) as f64 / 2.0 / other.len() as f64
            })
            .collect();
        let centre = places.iter().sum::<f64>() / places.len() as f64;
        let spread: f64 = places.iter().map(|place| (place - centre).powi(2)).sum();
        variance += spread / (places.len() as f64 - 1.0).max(1.0) / places.len() as f64;
    }
    let least = sides[0].len().min(sides[1].len()) as f64;
    let wrong = 0.5 / (least + 2.0);
    Some((area, variance.max(wrong * (1.0 - wrong) / least).sqrt()))
}

/// The interval of a share of `hits` in `rows`, `z` standard errors wide: Wilson, "Probable inference, the law of
/// succession, and statistical inference", 1927.
pub(crate) fn wilson(hits: f64, rows: f64, z: f64) -> [f64; 2] {
    if rows <= 0.0 {
        return [0.0, 1.0];
    }
    let (share, zz) = (hits / rows, z * z);
    let centre = (share + zz / (2.0 * rows)) / (1.0 + zz / rows);
    let half = z / (1.0 + zz / rows) * (share * (1.0 - share) / rows + zz / (4.0 * rows * rows)).sqrt();
    [(centre - half).max(0.0).min(share), (centre + half).min(1.0).max(share)]
}

/// How much larger the first share is than the second, each given as hits and rows, and the interval of that: Newcombe,
/// "Interval estimation for the difference between independent proportions", 1998, method 10. Wilson's intervals of
/// both shares, put together by squares.
pub(crate) fn excess((hits, rows): (f64, f64), (others, of): (f64, f64), z: f64) -> (f64, [f64; 2]) {
    let (share, other) = (hits / rows.max(1.0), if of > 0.0 { others / of } else { 0.0 });
    let (a, b) = (wilson(hits, rows, z), wilson(others, of, z));
    let difference = share - other;
    let down = ((share - a[0]).powi(2) + (b[1] - other).powi(2)).sqrt();
    let up = ((a[1] - share).powi(2) + (other - b[0]).powi(2)).sqrt();
    (difference, [difference - down, difference + up])
}

/// Half the width of the 95 % interval of a figure by the delete-a-group jackknife (Quenouille, "Notes on bias in
/// estimation", 1956; Kott, "The delete-a-group jackknife", 2001): `without(g)` is the figure without the g-th of
/// [`GROUPS`] groups of rows. `None` where it is not there for some group.
pub(crate) fn jackknife(without: &[Option<f64>]) -> Option<f64> {
    let figures: Vec<f64> = without.iter().copied().collect::<Option<Vec<f64>>>()?;
    let centre = mean(&figures)?;
    let groups = figures.len() as f64;
    let variance = (groups - 1.0) / groups * figures.iter().map(|figure| (figure - centre).powi(2)).sum::<f64>();
    Some(T_GROUPS * variance.sqrt())
}

/// The group of a sampled row: samples are in random order.
pub(crate) fn group(position: usize) -> usize {
    position % GROUPS
}

/// What a distance to the training table of `training` rows would be for a fresh sample of `wanted` rows, where it is
/// `distance` for one of `measured` rows. Both differ from the training table by chance alone, whose size goes with the
/// root of 1/rows + 1/training rows:
/// d(wanted) = d(measured) * sqrt((1/wanted + 1/training) / (1/measured + 1/training)).
pub(crate) fn rescaled(distance: f64, training: usize, measured: usize, wanted: usize) -> f64 {
    let noise = |rows: usize| 1.0 / rows.max(1) as f64 + 1.0 / training.max(1) as f64;
    distance * (noise(wanted) / noise(measured)).sqrt()
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

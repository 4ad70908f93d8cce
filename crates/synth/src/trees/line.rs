//! A small linear model in a leaf: values of a number and of other numeric columns come in, at most four weights and
//! the residuals go out. Parents are taken one by one while the Bayesian information criterion (Schwarz 1978,
//! "Estimating the dimension of a model") falls.

/// Parents of a line at most.
const PARENTS_MAX: usize = 4;

/// A numeric column that a line may use.
#[derive(Clone, Copy)]
pub(crate) struct Parent<'a> {
    /// Its node.
    pub(crate) node: u16,
    /// One value per training row, NaN where missing.
    pub(crate) values: &'a [f64],
}

/// `level + sum of weight * value`; a missing value counts as its `fill`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// The constant.
    pub(crate) level: f64,
    /// The weighted columns.
    pub(crate) terms: Vec<Term>,
}

/// One weighted column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// The node whose value is weighted.
    pub(crate) node: u16,
    /// Its weight.
    pub(crate) weight: f64,
    /// What stands for a missing value.
    pub(crate) fill: f64,
}

impl Line {
    /// What the line says for row `row` of a block with these values per node.
    pub(crate) fn expected(&self, known: &[Vec<f64>], row: usize) -> f64 {
        let worth = |term: &Term| {
            let value = known[term.node as usize][row];
            if value.is_nan() { term.fill } else { value }
        };
        self.level + self.terms.iter().map(|term| term.weight * worth(term)).sum::<f64>()
    }
}

/// Fits `values` on the parents over these rows; none where a constant does as well. The residuals come in the order
/// of the rows, scaled up for the degrees of freedom that the line took.
pub(crate) fn fit_line(values: &[f64], parents: &[Parent], rows: &[u32]) -> Option<(Line, Vec<f64>)> {
    let n = rows.len();
    if n < 20 || parents.is_empty() {
        return None;
    }
    let y = Centred::of(values, rows)?;
    let xs: Vec<(usize, Centred)> =
        (0..parents.len()).filter_map(|i| Some((i, Centred::of(parents[i].values, rows)?))).collect();
    let p = xs.len();
    let mut gram = vec![0.0; p * p];
    let mut cross = vec![0.0; p];
    for a in 0..p {
        cross[a] = dot(&xs[a].1.unit, &y.unit);
        for b in 0..a {
            let product = dot(&xs[a].1.unit, &xs[b].1.unit);
            gram[a * p + b] = product;
            gram[b * p + a] = product;
        }
        gram[a * p + a] = 1.0;
    }
    let (chosen, weights) = forward(&gram, &cross, p, n)?;
    let mut level = y.mean;
    let mut terms = Vec::new();
    for (&at, weight) in chosen.iter().zip(&weights) {
        let (parent, x) = (&parents[xs[at].0], &xs[at].1);
        let weight = weight * y.size / x.size;
        level -= weight * x.mean;
        terms.push(Term { node: parent.node, weight, fill: x.mean });
    }
    let stretch = ((n - 1) as f64 / (n - 1 - terms.len()) as f64).sqrt();
    let residuals = (0..n).map(|i| {
        let explained: f64 = chosen.iter().zip(&weights).map(|(&at, weight)| weight * xs[at].1.unit[i]).sum();
        (y.unit[i] - explained) * y.size * stretch
    });
    let residuals = residuals.collect();
    Some((Line { level, terms }, residuals))
}

/// Fits `values` as a sum of whole or half multiples of some of the parents and a constant, within `slack` in every row;
/// none of the values is missing. Gives nodes and weights.
pub(crate) fn fit_exactly(values: &[f64], parents: &[Parent], slack: f64) -> Option<Vec<(u16, f64)>> {
    /// Where the way from one first term leads nowhere, others are tried: a mere multiple of the sum is no term of it.
    const WAYS_MAX: usize = 3;
    let mut parents = parents.to_vec();
    for _ in 0..WAYS_MAX {
        let mut first = None;
        if let Some(terms) = fit_by_steps(values, &parents, slack, &mut first) {
            return Some(terms);
        }
        let first = first?;
        parents.retain(|parent| parent.node != first);
    }
    None
}

fn fit_by_steps(values: &[f64], parents: &[Parent], slack: f64, first: &mut Option<u16>) -> Option<Vec<(u16, f64)>> {
    const TERMS_MAX: usize = 20;
    /// Share of what is left that one more term must tell.
    const STEP_MIN: f64 = 0.03;
    let rows: Vec<u32> = (0..values.len() as u32).collect();
    let y = Centred::of(values, &rows)?;
    let xs: Vec<(u16, Centred)> =
        parents.iter().filter_map(|parent| Some((parent.node, Centred::of(parent.values, &rows)?))).collect();
    // What each column says that those chosen do not; none where that is nothing.
    let mut novel: Vec<Vec<f64>> = xs.iter().map(|x| x.1.unit.clone()).collect();
    let mut left = y.unit.clone();
    let mut chosen: Vec<usize> = Vec::new();
    while left.iter().any(|l| l.abs() * y.size > slack) {
        let told = |at: usize| if novel[at].is_empty() { 0.0 } else { dot(&novel[at], &left).powi(2) };
        let (gain, best) =
            (0..xs.len()).map(|at| (told(at), at)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        if chosen.len() == TERMS_MAX || gain < STEP_MIN * dot(&left, &left) {
            return None;
        }
        first.get_or_insert(xs[best].0);
        chosen.push(best);
        let taken = std::mem::take(&mut novel[best]);
        subtract(&mut left, &taken);
        for column in novel.iter_mut().filter(|column| !column.is_empty()) {
            subtract(column, &taken);
            let size = dot(column, column).sqrt();
            if size < 1e-7 {
                column.clear();
            } else {
                column.iter_mut().for_each(|v| *v /= size);
            }
        }
    }
    let weights = solve_all(&chosen.iter().map(|&at| &xs[at].1).collect::<Vec<_>>(), &y)?;
    let mut terms = Vec::new();
    for (&at, weight) in chosen.iter().zip(&weights) {
        let weight = weight * y.size / xs[at].1.size;
        let snapped = (weight * 2.0).round() / 2.0;
        if snapped != 0.0 && (weight - snapped).abs() <= 1e-3 {
            terms.push((xs[at].0, snapped));
        } else if weight.abs() * xs[at].1.size > slack {
            return None;
        }
    }
    Some(terms)
}

/// Takes from `values` what lies along a direction of length one.
fn subtract(values: &mut [f64], direction: &[f64]) {
    let along = dot(values, direction);
    values.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
}

/// Weights of several columns at once, by elimination.
fn solve_all(xs: &[&Centred], y: &Centred) -> Option<Vec<f64>> {
    let k = xs.len();
    let mut m: Vec<Vec<f64>> = (0..k)
        .map(|a| (0..k).map(|b| dot(&xs[a].unit, &xs[b].unit)).chain([dot(&xs[a].unit, &y.unit)]).collect())
        .collect();
    for column in 0..k {
        let pivot = (column..k).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        if m[pivot][column].abs() < 1e-13 {
            return None;
        }
        m.swap(column, pivot);
        let above = m[column].clone();
        for (_, line) in m.iter_mut().enumerate().filter(|line| line.0 != column) {
            let factor = line[column] / above[column];
            line.iter_mut().zip(&above).for_each(|(cell, above)| *cell -= factor * above);
        }
    }
    Some((0..k).map(|i| m[i][k] / m[i][i]).collect())
}

/// Values of some rows less their mean, divided by their length.
struct Centred {
    unit: Vec<f64>,
    mean: f64,
    size: f64,
}

impl Centred {
    fn of(values: &[f64], rows: &[u32]) -> Option<Centred> {
        let (mut sum, mut count) = (0.0, 0);
        for &row in rows {
            let value = values[row as usize];
            if !value.is_nan() {
                sum += value;
                count += 1;
            }
        }
        if count * 2 < rows.len() || count < 2 {
            return None;
        }
        let mean = sum / count as f64;
        let centre = |row: &u32| {
            let value = values[*row as usize];
            if value.is_nan() { 0.0 } else { value - mean }
        };
        let mut unit: Vec<f64> = rows.iter().map(centre).collect();
        let size = dot(&unit, &unit).sqrt();
        if size <= 1e-9 * (1.0 + mean.abs()) || !size.is_finite() {
            return None;
        }
        unit.iter_mut().for_each(|v| *v /= size);
        Some(Centred { unit, mean, size })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let tail: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3] + tail
}

fn forward(gram: &[f64], cross: &[f64], p: usize, n: usize) -> Option<(Vec<usize>, Vec<f64>)> {
    let rows = n as f64;
    let cost = |left: f64, used: usize| rows * left.max(1e-12).ln() + (used as f64) * rows.ln();
    let mut chosen: Vec<usize> = Vec::new();
    let mut weights = Vec::new();
    let mut best = cost(1.0, 0);
    while chosen.len() < PARENTS_MAX && n > 12 * (chosen.len() + 1) {
        let mut next = None;
        let mut bar = best - 2.0;
        for at in (0..p).filter(|at| !chosen.contains(at)) {
            let mut trial = chosen.clone();
            trial.push(at);
            let Some(solved) = solve(gram, cross, p, &trial) else { continue };
            let explained: f64 = trial.iter().zip(&solved).map(|(&i, w)| w * cross[i]).sum();
            let value = cost(1.0 - explained, trial.len());
            if value < bar {
                bar = value;
                next = Some((trial, solved));
            }
        }
        let Some((trial, solved)) = next else { break };
        chosen = trial;
        weights = solved;
        best = bar;
    }
    (!chosen.is_empty()).then_some((chosen, weights))
}

/// Solves the normal equations of the chosen columns with a light ridge, by elimination with pivots.
fn solve(gram: &[f64], cross: &[f64], p: usize, chosen: &[usize]) -> Option<Vec<f64>> {
    const RIDGE: f64 = 1e-6;
    let k = chosen.len();
    let mut m = [[0.0; PARENTS_MAX + 1]; PARENTS_MAX];
    for (i, &a) in chosen.iter().enumerate() {
        for (j, &b) in chosen.iter().enumerate() {
            m[i][j] = gram[a * p + b] + if i == j { RIDGE } else { 0.0 };
        }
        m[i][k] = cross[a];
    }
    for column in 0..k {
        let pivot = (column..k).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        if m[pivot][column].abs() < 1e-5 {
            return None;
        }
        m.swap(column, pivot);
        for row in 0..k {
            if row != column {
                let factor = m[row][column] / m[column][column];
                let above = m[column];
                for (cell, above) in m[row][column..=k].iter_mut().zip(&above[column..=k]) {
                    *cell -= factor * above;
                }
            }
        }
    }
    Some((0..k).map(|i| m[i][k] / m[i][i]).collect())
}

//! Two columns of codes against each other. In: pairs of codes of two tables. Out: how alike their joint shares are,
//! and how strongly the columns hang together.

/// Tables of counts up to this many cells are kept whole; larger ones are sorted lists.
const DENSE_CELLS_MAX: usize = 1 << 16;

/// How a pair of columns compares.
pub(crate) struct Compared {
    /// 1 - half the summed differences of the joint shares.
    pub(crate) similarity: f64,
    /// Cramer's V of the first table; `None` where a column has one value.
    pub(crate) first: Option<f64>,
    /// Cramer's V of the second table.
    pub(crate) second: Option<f64>,
}

/// Codes of one column in one table, all below `levels`.
#[derive(Clone, Copy)]
pub(crate) struct Coded<'a> {
    pub(crate) codes: &'a [u32],
    pub(crate) levels: usize,
}

/// Compares the joint distribution of columns `a` and `b` in two tables. `None` where a table has no rows.
pub(crate) fn compare(first: [Coded<'_>; 2], second: [Coded<'_>; 2]) -> Option<Compared> {
    let levels = [first[0].levels.max(second[0].levels), first[1].levels.max(second[1].levels)];
    let rows = [first[0].codes.len(), second[0].codes.len()];
    if rows.contains(&0) {
        return None;
    }
    let (first, second) = (joint(first, levels), joint(second, levels));
    let (mut i, mut j, mut apart) = (0, 0, 0.0);
    while i < first.len() || j < second.len() {
        let (left, right) = (first.get(i).map(|cell| cell.0), second.get(j).map(|cell| cell.0));
        let key = left.unwrap_or(u64::MAX).min(right.unwrap_or(u64::MAX));
        let (mut a, mut b) = (0.0, 0.0);
        if left == Some(key) {
            a = first[i].1 as f64 / rows[0] as f64;
            i += 1;
        }
        if right == Some(key) {
            b = second[j].1 as f64 / rows[1] as f64;
            j += 1;
        }
        apart += (a - b).abs();
    }
    Some(Compared {
        similarity: 1.0 - apart / 2.0,
        first: cramers_v(&first, levels),
        second: cramers_v(&second, levels),
    })
}

/// The cells that are not empty, as key and count, by ascending key.
fn joint([a, b]: [Coded<'_>; 2], levels: [usize; 2]) -> Vec<(u64, u32)> {
    let keys = a.codes.iter().zip(b.codes).map(|(&a, &b)| a as u64 * levels[1] as u64 + b as u64);
    if levels[0] * levels[1] <= DENSE_CELLS_MAX {
        let mut counts = vec![0u32; levels[0] * levels[1]];
        keys.for_each(|key| counts[key as usize] += 1);
        return counts
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .map(|(key, count)| (key as u64, count))
            .collect();
    }
    let mut sorted: Vec<u64> = keys.collect();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect()
}

/// Cramer, "Mathematical methods of statistics", 1946: the root of chi squared over its greatest possible value.
fn cramers_v(cells: &[(u64, u32)], levels: [usize; 2]) -> Option<f64> {
    let mut margins = [vec![0u32; levels[0]], vec![0u32; levels[1]]];
    let split = |key: u64| ((key / levels[1] as u64) as usize, (key % levels[1] as u64) as usize);
    for &(key, count) in cells {
        let (a, b) = split(key);
        margins[0][a] += count;
        margins[1][b] += count;
    }
    let used = margins.each_ref().map(|margin| margin.iter().filter(|&&count| count > 0).count());
    let freedom = used[0].min(used[1]).checked_sub(1).filter(|&freedom| freedom > 0)? as f64;
    let mut shares = 0.0;
    for &(key, count) in cells {
        let (a, b) = split(key);
        shares += count as f64 / margins[0][a] as f64 * count as f64 / margins[1][b] as f64;
    }
    Some(((shares - 1.0).max(0.0) / freedom).sqrt().min(1.0))
}

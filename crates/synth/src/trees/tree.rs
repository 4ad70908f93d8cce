//! Growing: coded columns and a target's classes come in, a tree of splits with the training rows of each leaf goes
//! out. Splits maximise the gain in multinomial log-likelihood of the classes, so a split sees any change of
//! distribution (the trees of sequential CART synthesis, Reiter 2005, "Using CART to generate partially synthetic
//! public use microdata", with this criterion in the place of variance). Never draws anything.

use crate::trees::shape::Class;

/// A column that a split may ask about.
#[derive(Clone, Copy)]
pub(crate) struct Feature<'a> {
    /// One code per training row; 0 is missing.
    pub(crate) codes: &'a [u8],
    /// Whether the codes have no order.
    pub(crate) nominal: bool,
}

/// What the tree predicts: a class per training row.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Classes below `count`; rows that a tree must not see are left out of its row list.
    pub(crate) classes: &'a [Class],
    /// Number of classes.
    pub(crate) count: usize,
    /// Whether neighbouring classes are alike, so that they may be merged where rows are few.
    pub(crate) ordered: bool,
    /// Where classes have no order but are many: the place of each in an order in which neighbours are alike; else
    /// empty.
    pub(crate) places: &'a [u32],
}

/// How far a tree may grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Fewest rows of a leaf.
    pub(crate) leaf_min: usize,
    /// Smallest score of a split.
    pub(crate) score_min: f64,
}

/// One place in a grown tree.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Its rows: a range of [`Grown::rows`].
    pub(crate) from: usize,
    /// End of the range.
    pub(crate) to: usize,
    /// The question asked here; none at a leaf.
    pub(crate) split: Option<Split>,
}

/// A question: does the code of `feature` lie in `mask`? Yes leads to `yes`, no to `no`.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    /// Position among the features.
    pub(crate) feature: usize,
    /// One bit per code.
    pub(crate) mask: [u64; 4],
    /// Branch for codes in the mask.
    pub(crate) yes: usize,
    /// Branch for the others.
    pub(crate) no: usize,
    /// Gain in nats above what chance gives, in standard deviations.
    pub(crate) score: f64,
    /// How much of the gain chance alone would give: 0 for a split beyond doubt, 1 for one that says nothing.
    pub(crate) chance: f64,
}

/// A grown tree; branch 0 is the root.
pub(crate) struct Grown {
    /// All branches, parents before children.
    pub(crate) branches: Vec<Branch>,
    /// Training rows, so that every branch owns a range.
    pub(crate) rows: Vec<u32>,
}

impl Grown {
    /// The same questions, with other rows in the branches: those that it grew on may be a part of them.
    pub(crate) fn holding(mut self, features: &[Feature], rows: Vec<u32>) -> Grown {
        let mut spare = Vec::with_capacity(rows.len());
        (self.branches[0].from, self.branches[0].to) = (0, rows.len());
        self.rows = rows;
        for at in 0..self.branches.len() {
            let Branch { from, to, ref split } = self.branches[at];
            let Some(&Split { feature, mask, yes, no, .. }) = split.as_ref() else { continue };
            let middle = from + divide(&mut self.rows[from..to], features[feature].codes, &mask, &mut spare);
            (self.branches[yes].from, self.branches[yes].to) = (from, middle);
            (self.branches[no].from, self.branches[no].to) = (middle, to);
        }
        self
    }
}

/// Rows that are enough to see a plain split.
const JUDGED: usize = 10_000;

/// The score of a plain split.
const PLAIN: f64 = 8.0;

/// Grows a tree on these rows.
pub(crate) fn grow(features: &[Feature], target: Target, rows: Vec<u32>, limits: Limits) -> Grown {
    let mut work = Work::new(rows.len(), target.count);
    let mut grown = Grown { branches: vec![Branch { from: 0, to: rows.len(), split: None }], rows };
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let (from, to) = (grown.branches[at].from, grown.branches[at].to);
        let Some(best) = work.best_split(features, target, &grown.rows[from..to], limits) else { continue };
        let codes = features[best.feature].codes;
        let middle = from + divide(&mut grown.rows[from..to], codes, &best.mask, &mut work.spare);
        let yes = grown.branches.len();
        grown.branches.push(Branch { from, to: middle, split: None });
        grown.branches.push(Branch { from: middle, to, split: None });
        grown.branches[at].split = Some(Split { yes, no: yes + 1, ..best });
        open.push(yes + 1);
        open.push(yes);
    }
    grown
}

/// Whether `code` is in `mask`.
pub(crate) fn holds(mask: &[u64; 4], code: u8) -> bool {
    mask[(code >> 6) as usize] >> (code & 63) & 1 == 1
}

/// Buffers of one growth.
struct Work {
    step: Vec<f64>,
    counts: Vec<u32>,
    live: Vec<Class>,
    group: Vec<u16>,
    local: Vec<u16>,
    sorted: Vec<u16>,
    left: Vec<u32>,
    right: Vec<u32>,
    spare: Vec<u32>,
    histogram: Vec<u32>,
}

/// The classes of one branch, merged into groups.
struct Groups {
    count: usize,
    total: f64,
}

/// The best cut of a node by one feature so far.
struct BestCut {
    rows: usize,
    leaf_min: usize,
    /// What a cut has to be better than: the likelihood of the node as it is.
    none: f64,
    gain: f64,
    /// Gain in nats, and the place of the cut.
    found: Option<(f64, usize)>,
}

impl BestCut {
    /// None yet. `total` is the sum of n ln n over the groups of the node.
    fn of(rows: usize, total: f64, leaf_min: usize) -> BestCut {
        let n = rows as f64;
        BestCut { rows, leaf_min, none: total - n * n.ln(), gain: 0.0, found: None }
    }

    /// Looks at a cut behind `moved` rows, given the sums of n ln n over the groups on its left and on its right.
    #[inline]
    fn consider(&mut self, cut: usize, moved: usize, [left, right]: [f64; 2]) {
        if moved < self.leaf_min || self.rows - moved < self.leaf_min {
            return;
        }
        let (l, r) = (moved as f64, self.rows as f64 - moved as f64);
        let gain = left - l * l.ln() + right - r * r.ln() - self.none;
        if gain > self.gain {
            self.gain = gain;
            self.found = Some((gain, cut));
        }
    }
}

impl Work {
    fn new(rows: usize, classes: usize) -> Work {
        let x_log_x = |x: usize| if x == 0 { 0.0 } else { x as f64 * (x as f64).ln() };
        Work {
            step: (0..=rows).map(|x| x_log_x(x + 1) - x_log_x(x)).collect(),
            counts: vec![0; classes],
            live: Vec::new(),
            group: vec![0; classes],
            local: vec![0; rows],
            sorted: vec![0; rows],
            left: vec![0; classes],
            right: vec![0; classes],
            spare: Vec::with_capacity(rows),
            histogram: Vec::new(),
        }
    }

    /// The best split of these rows, if it is good enough. Many rows are judged by some of them first: what is plain from
    /// those needs no others.
    fn best_split(&mut self, features: &[Feature], target: Target, rows: &[u32], limits: Limits) -> Option<Split> {
        let step = rows.len() / JUDGED;
        if step >= 2 {
            let some: Vec<u32> = rows.iter().step_by(step).copied().collect();
            let fewer = Limits { leaf_min: limits.leaf_min.div_ceil(step).max(10), ..limits };
            if let Some(split) = self.search(features, target, &some, fewer).filter(|split| split.score > PLAIN) {
                let codes = features[split.feature].codes;
                let yes = rows.iter().filter(|&&row| holds(&split.mask, codes[row as usize])).count();
                if yes.min(rows.len() - yes) >= limits.leaf_min {
                    return Some(Split { chance: split.chance / step as f64, ..split });
                }
            }
        }
        self.search(features, target, rows, limits).filter(|split| split.score > limits.score_min)
    }

    fn search(&mut self, features: &[Feature], target: Target, rows: &[u32], limits: Limits) -> Option<Split> {
        if rows.len() < 2 * limits.leaf_min || features.is_empty() {
            return None;
        }
        let groups = self.group_classes(target, rows);
        if groups.count < 2 {
            return None;
        }
        let freedom = (groups.count - 1) as f64 / 2.0;
        let mut best: Option<Split> = None;
        let mut best_excess = f64::NEG_INFINITY;
        for (feature, about) in features.iter().enumerate() {
            let Some((gain, mask, choices)) = self.best_of(about, rows, &groups, limits.leaf_min) else { continue };
            let excess = gain - choices;
            if excess > best_excess {
                best_excess = excess;
                let score = (excess - freedom) / (freedom.sqrt() + 1.0);
                let chance = ((choices + freedom) / gain).clamp(0.0, 1.0);
                best = Some(Split { feature, mask, yes: 0, no: 0, score, chance });
            }
        }
        best
    }

    /// Counts the classes and merges them into at most a twentieth as many groups as there are rows: neighbours where
    /// classes are ordered or known to be alike, the rarest into one where not.
    fn group_classes(&mut self, target: Target, rows: &[u32]) -> Groups {
        for &class in &self.live {
            self.counts[class as usize] = 0;
        }
        self.live.clear();
        for &row in rows {
            let class = target.classes[row as usize];
            if self.counts[class as usize] == 0 {
                self.live.push(class);
            }
            self.counts[class as usize] += 1;
        }
        self.live.sort_unstable();
        let most = (rows.len() / 20).clamp(4, 256);
        let count = if self.live.len() <= most {
            for (group, &class) in self.live.iter().enumerate() {
                self.group[class as usize] = group as u16;
            }
            self.live.len()
        } else if target.ordered || !target.places.is_empty() {
            if !target.ordered {
                self.live.sort_unstable_by_key(|&class| (target.places[class as usize], class));
            }
            let mut seen = 0;
            let mut last = 0;
            let mut count = 0;
            for &class in &self.live {
                let at = seen * most / rows.len();
                if count == 0 || at > last {
                    count += 1;
                    last = at;
                }
                self.group[class as usize] = (count - 1) as u16;
                seen += self.counts[class as usize] as usize;
            }
            count
        } else {
            let mut order = self.live.clone();
            order.sort_by_key(|&class| (std::cmp::Reverse(self.counts[class as usize]), class));
            for (place, &class) in order.iter().enumerate() {
                self.group[class as usize] = place.min(most - 1) as u16;
            }
            most
        };
        for (place, &row) in rows.iter().enumerate() {
            self.local[place] = self.group[target.classes[row as usize] as usize];
        }
        self.right[..count].fill(0);
        for &group in &self.local[..rows.len()] {
            self.right[group as usize] += 1;
        }
        let x_log_x = |x: f64| if x > 0.0 { x * x.ln() } else { 0.0 };
        let total: f64 = self.right[..count].iter().map(|&c| x_log_x(c as f64)).sum();
        Groups { count, total }
    }

    /// The best cut of one feature: gain in nats, the codes of the yes side, and the allowance in nats for having
    /// chosen among many cuts.
    fn best_of(
        &mut self,
        about: &Feature,
        rows: &[u32],
        groups: &Groups,
        leaf_min: usize,
    ) -> Option<(f64, [u64; 4], f64)> {
        let mut size = [0u32; 256];
        let mut sum = [0u32; 256];
        if about.nominal {
            for (place, &row) in rows.iter().enumerate() {
                let code = about.codes[row as usize] as usize;
                size[code] += 1;
                sum[code] += self.local[place] as u32;
            }
        } else {
            for &row in rows {
                size[about.codes[row as usize] as usize] += 1;
            }
        }
        let mut order: Vec<u8> = (0..=255u8).filter(|&code| size[code as usize] > 0).collect();
        if order.len() < 2 {
            return None;
        }
        if about.nominal {
            let mean = |code: u8| sum[code as usize] as f64 / size[code as usize] as f64;
            order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
        }
        let choices = if about.nominal { 0.35 * (order.len() - 1) as f64 } else { (order.len() as f64).ln() };
        let (gain, cut) = if groups.count * order.len() * 2 < rows.len() {
            self.scan_histogram(about, rows, groups, &order, &size, leaf_min)?
        } else {
            self.scan_rows(about, rows, groups, &order, &size, leaf_min)?
        };
        let mut mask = [0u64; 4];
        let mut put = |code: u8| mask[(code >> 6) as usize] |= 1 << (code & 63);
        if about.nominal {
            order[..=cut].iter().for_each(|&code| put(code));
        } else {
            (0..=order[cut]).for_each(&mut put);
        }
        Some((gain, mask, choices))
    }

    /// Moves rows one by one from the right side to the left in the order of their codes.
    fn scan_rows(
        &mut self,
        about: &Feature,
        rows: &[u32],
        groups: &Groups,
        order: &[u8],
        size: &[u32; 256],
        leaf_min: usize,
    ) -> Option<(f64, usize)> {
        let mut start = [0u32; 256];
        let mut at = 0;
        for &code in order {
            start[code as usize] = at;
            at += size[code as usize];
        }
        for (place, &row) in rows.iter().enumerate() {
            let slot = &mut start[about.codes[row as usize] as usize];
            self.sorted[*slot as usize] = self.local[place];
            *slot += 1;
        }
        self.begin_sides(rows.len(), groups);
        let (mut left_sum, mut right_sum, mut moved) = (0.0, groups.total, 0usize);
        let mut best = BestCut::of(rows.len(), groups.total, leaf_min);
        for (cut, &code) in order[..order.len() - 1].iter().enumerate() {
            for _ in 0..size[code as usize] {
                let group = self.sorted[moved] as usize;
                left_sum += self.step[self.left[group] as usize];
                self.left[group] += 1;
                self.right[group] -= 1;
                right_sum -= self.step[self.right[group] as usize];
                moved += 1;
            }
            best.consider(cut, moved, [left_sum, right_sum]);
        }
        best.found
    }

    /// Moves whole codes from the right side to the left; cheaper where codes and groups are few beside the rows.
    fn scan_histogram(
        &mut self,
        about: &Feature,
        rows: &[u32],
        groups: &Groups,
        order: &[u8],
        size: &[u32; 256],
        leaf_min: usize,
    ) -> Option<(f64, usize)> {
        let width = groups.count;
        self.histogram.clear();
        self.histogram.resize(256 * width, 0);
        for (place, &row) in rows.iter().enumerate() {
            self.histogram[about.codes[row as usize] as usize * width + self.local[place] as usize] += 1;
        }
        self.begin_sides(rows.len(), groups);
        let x_log_x = |x: u32| if x == 0 { 0.0 } else { x as f64 * (x as f64).ln() };
        let (mut left_sum, mut right_sum, mut moved) = (0.0, groups.total, 0usize);
        let mut best = BestCut::of(rows.len(), groups.total, leaf_min);
        for (cut, &code) in order[..order.len() - 1].iter().enumerate() {
            for group in 0..width {
                let count = self.histogram[code as usize * width + group];
                if count == 0 {
                    continue;
                }
                let (l, r) = (self.left[group], self.right[group]);
                left_sum += x_log_x(l + count) - x_log_x(l);
                right_sum += x_log_x(r - count) - x_log_x(r);
                self.left[group] = l + count;
                self.right[group] = r - count;
            }
            moved += size[code as usize] as usize;
            best.consider(cut, moved, [left_sum, right_sum]);
        }
        best.found
    }

    fn begin_sides(&mut self, rows: usize, groups: &Groups) {
        self.left[..groups.count].fill(0);
        self.right[..groups.count].fill(0);
        for &group in &self.local[..rows] {
            self.right[group as usize] += 1;
        }
    }
}

/// Puts the rows inside the mask first, each side in its old order; gives how many those are.
fn divide(rows: &mut [u32], codes: &[u8], mask: &[u64; 4], spare: &mut Vec<u32>) -> usize {
    spare.clear();
    let mut kept = 0;
    for place in 0..rows.len() {
        let row = rows[place];
        if holds(mask, codes[row as usize]) {
            rows[kept] = row;
            kept += 1;
        } else {
            spare.push(row);
        }
    }
    rows[kept..].copy_from_slice(spare);
    kept
}

//! Shared absence: which codes of earlier columns decide that a cell is missing, or that it is present. In: training
//! columns. Out: rules that hold in every training row and are no accident.

use crate::trees::drawn::Seen;

/// Rules of one column at most.
const RULES_MAX: usize = 3;

/// How unlikely a rule must be by accident, in nats.
const SURPRISE_MIN: f64 = 12.0;

/// What a code says about a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verdict {
    /// Nothing.
    Open = 0,
    /// The cell is missing.
    Missing = 1,
    /// The cell is present.
    Present = 2,
}

/// What the codes of one earlier node say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Absence {
    /// The earlier node.
    pub(crate) node: u16,
    /// A verdict per code.
    pub(crate) verdicts: Vec<Verdict>,
}

/// The rules for node `target` from the nodes `before` it, the widest first.
pub(crate) fn find_absences(nodes: &[Seen], target: usize, before: &[u16]) -> Vec<Absence> {
    let missing: Vec<bool> = nodes[target].values.iter().map(|v| v.is_nan()).collect();
    let count = missing.iter().filter(|&&m| m).count();
    if count == 0 || count == missing.len() {
        return Vec::new();
    }
    let mut open: Vec<u32> = (0..missing.len() as u32).collect();
    let mut rules: Vec<Absence> = Vec::new();
    while rules.len() < RULES_MAX && !open.is_empty() {
        let mut best: Option<(usize, Absence)> = None;
        for &node in before {
            let (decided, rule) = judge(&nodes[node as usize], node, &missing, &open);
            if decided > 0 && best.as_ref().is_none_or(|b| decided > b.0) {
                best = Some((decided, rule));
            }
        }
        let Some((_, rule)) = best else { break };
        open.retain(|&row| rule.verdicts[nodes[rule.node as usize].codes[row as usize] as usize] == Verdict::Open);
        rules.push(rule);
    }
    rules
}

fn judge(seen: &Seen, node: u16, missing: &[bool], open: &[u32]) -> (usize, Absence) {
    let mut rows = [0usize; 256];
    let mut gone = [0usize; 256];
    // A column of many values speaks by its own absence only.
    let many = seen.shape.classes() > 60;
    let group = |code: u8| if many { (code > 0) as usize } else { code as usize };
    for &row in open {
        let code = group(seen.codes[row as usize]);
        rows[code] += 1;
        gone[code] += missing[row as usize] as usize;
    }
    let rate = gone.iter().sum::<usize>() as f64 / open.len() as f64;
    let verdict = |code: usize| {
        let n = rows[code] as f64;
        if rows[code] == 0 || rate <= 0.0 || rate >= 1.0 {
            Verdict::Open
        } else if gone[code] == rows[code] && -n * rate.ln() > SURPRISE_MIN {
            Verdict::Missing
        } else if gone[code] == 0 && -n * (1.0 - rate).ln() > SURPRISE_MIN {
            Verdict::Present
        } else {
            Verdict::Open
        }
    };
    let by_group: Vec<Verdict> = (0..256).map(verdict).collect();
    let decided = (0..256).filter(|&code| by_group[code] != Verdict::Open).map(|code| rows[code]).sum();
    let verdicts = (0..=255u8).map(|code| by_group[group(code)]).collect();
    (decided, Absence { node, verdicts })
}

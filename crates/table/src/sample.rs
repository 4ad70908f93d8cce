//! A uniform sample of records in bounded memory. In: records in source order. Out: the kept ones, in source order.
//! Which records are kept depends on the seed, their positions and their sizes, on nothing else.

use std::collections::BinaryHeap;

/// Bytes that a kept record costs beside its own.
const OVERHEAD_BYTES: usize = 56;

/// The records with the smallest priorities so far, a priority being drawn per position from the seed
/// (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006, with equal weights).
pub(crate) struct Sample {
    rows_max: usize,
    bytes_max: usize,
    seed: u64,
    kept: BinaryHeap<Kept>,
    bytes: usize,
    seen: u64,
    /// Records at or above this priority are not kept; it only sinks.
    limit: Option<u64>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    priority: u64,
    row: u64,
    record: Record,
}

/// A kept record and the line it begins on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub line: u64,
    pub bytes: Box<[u8]>,
}

impl Sample {
    pub(crate) fn new(rows_max: usize, bytes_max: usize, seed: u64) -> Sample {
        Sample { rows_max, bytes_max, seed, kept: BinaryHeap::new(), bytes: 0, seen: 0, limit: None }
    }

    /// Offers the next record.
    pub(crate) fn offer(&mut self, line: u64, record: &[u8]) {
        let row = self.seen;
        self.seen += 1;
        let priority = mix(self.seed ^ mix(row));
        if self.limit.is_some_and(|limit| priority >= limit) {
            return;
        }
        self.bytes += record.len() + OVERHEAD_BYTES;
        self.kept.push(Kept { priority, row, record: Record { line, bytes: record.into() } });
        // One record always stays, so that a file of one huge row is still a table.
        while self.kept.len() > 1 && (self.kept.len() > self.rows_max || self.bytes > self.bytes_max) {
            let Some(out) = self.kept.pop() else { break };
            self.bytes -= out.record.bytes.len() + OVERHEAD_BYTES;
            self.limit = Some(out.priority);
        }
    }

    /// The kept records in source order.
    pub(crate) fn into_records(self) -> Vec<Record> {
        let mut kept = self.kept.into_vec();
        kept.sort_unstable_by_key(|kept| kept.row);
        kept.into_iter().map(|kept| kept.record).collect()
    }
}

/// The positions that a sample of `kept_max` of so many rows keeps, in order.
pub(crate) fn positions(rows: u64, kept_max: usize, seed: u64) -> Vec<u64> {
    let mut kept: BinaryHeap<(u64, u64)> = BinaryHeap::new();
    for row in 0..rows {
        let priority = mix(seed ^ mix(row));
        if kept.len() < kept_max {
            kept.push((priority, row));
        } else if let Some(mut most) = kept.peek_mut()
            && priority < most.0
        {
            *most = (priority, row);
        }
    }
    let mut positions: Vec<u64> = kept.into_iter().map(|(_, row)| row).collect();
    positions.sort_unstable();
    positions
}

/// A fixed scrambling of 64 bits (the finalizer of Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014), one to one, so that two positions never share a priority.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

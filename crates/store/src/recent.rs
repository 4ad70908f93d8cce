//! What was lately read from the database, so that it need not be asked again for every request. In: keys, values and
//! the time. Out: a value that is at most [`KEPT_US`] old. Bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

/// How long a value may be used: five seconds. Another process may have changed it meanwhile.
const KEPT_US: i64 = 5_000_000;
const ENTRIES_MAX: usize = 10_000;

struct Entries<K, V> {
    map: HashMap<K, (V, i64)>,
    forgotten: u64,
}

/// Values by key. Clones share what they hold.
pub(crate) struct Recent<K, V>(Arc<Mutex<Entries<K, V>>>);

/// What was forgotten up to some moment; see [`Recent::keep`].
#[derive(Clone, Copy)]
pub(crate) struct Moment(u64);

impl<K, V> Clone for Recent<K, V> {
    fn clone(&self) -> Recent<K, V> {
        Recent(self.0.clone())
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn new() -> Recent<K, V> {
        Recent(Arc::new(Mutex::new(Entries { map: HashMap::new(), forgotten: 0 })))
    }

    /// The value of `key`, if it is not too old at `now`; and the moment, for [`Recent::keep`].
    pub(crate) fn find(&self, key: &K, now: i64) -> (Option<V>, Moment) {
        let entries = self.entries();
        let fresh = entries.map.get(key).filter(|(_, at)| fresh(*at, now));
        (fresh.map(|(value, _)| value.clone()), Moment(entries.forgotten))
    }

    /// Keeps a value that was read since `moment`; not if anything was forgotten in between, since it may be what was.
    pub(crate) fn keep(&self, key: K, value: V, now: i64, moment: Moment) {
        let mut entries = self.entries();
        if entries.forgotten != moment.0 {
            return;
        }
        if entries.map.len() >= ENTRIES_MAX {
            entries.map.retain(|_, (_, at)| fresh(*at, now));
        }
        if entries.map.len() >= ENTRIES_MAX {
            entries.map.clear();
        }
        entries.map.insert(key, (value, now));
    }

    /// Forgets every entry that is `gone`.
    pub(crate) fn forget(&self, gone: impl Fn(&K, &V) -> bool) {
        let mut entries = self.entries();
        entries.forgotten += 1;
        entries.map.retain(|key, (value, _)| !gone(key, value));
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.0.lock().expect("nothing panics while it holds this")
    }
}

/// Whether what was read at `at` may be used at `now`; a clock that was set back makes it old.
fn fresh(at: i64, now: i64) -> bool {
    (0..KEPT_US).contains(&(now - at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_used_for_a_while_and_never_after_it_was_forgotten() {
        let recent: Recent<&str, u8> = Recent::new();
        let (none, moment) = recent.find(&"a", 0);
        assert_eq!(none, None);
        recent.keep("a", 1, 0, moment);
        assert_eq!(recent.find(&"a", KEPT_US - 1).0, Some(1));
        assert_eq!(recent.find(&"a", KEPT_US).0, None);
        assert_eq!(recent.find(&"a", -1).0, None);
        // Read before it was changed, kept after: the old value must not come back.
        let (_, moment) = recent.find(&"a", 1);
        recent.forget(|key, _| *key == "a");
        recent.keep("a", 1, 1, moment);
        assert_eq!(recent.find(&"a", 1).0, None);
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let recent: Recent<usize, ()> = Recent::new();
        let (_, moment) = recent.find(&0, 0);
        for key in 0..3 * ENTRIES_MAX {
            recent.keep(key, (), 0, moment);
            assert!(recent.entries().map.len() <= ENTRIES_MAX);
        }
        assert!(recent.find(&(3 * ENTRIES_MAX - 1), 0).0.is_some());
    }
}

//! The nearest name: a word that was written and the words that are allowed come in, the likeliest meant goes out.

/// The allowed word with the fewest letters to change, if those are at most a third of it.
pub(crate) fn nearest<'a>(written: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> =
        written.chars().flat_map(char::to_lowercase).map(|c| if c == '-' { '_' } else { c }).collect();
    let distance = |word: &str| {
        let word: Vec<char> = word.chars().map(|c| if c == '-' { '_' } else { c }).collect();
        let mut row: Vec<usize> = (0..=word.len()).collect();
        for (i, a) in written.iter().enumerate() {
            let mut corner = row[0];
            row[0] = i + 1;
            for (j, b) in word.iter().enumerate() {
                let next = (corner + (a != b) as usize).min(row[j] + 1).min(row[j + 1] + 1);
                corner = row[j + 1];
                row[j + 1] = next;
            }
        }
        row[word.len()]
    };
    allowed
        .map(|word| (distance(word), word))
        .min()
        .filter(|(far, word)| far * 3 <= word.chars().count().max(3))
        .map(|found| found.1)
}

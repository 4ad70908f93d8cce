//! Fakers: the drawn rows of a block come in, made-up names, addresses and numbers go out. What the columns of a group
//! show of one row is of one persona, so that they agree. A value depends on its row, the length of the output and its
//! seed alone; one that a training row holds is not written.

use std::borrow::Cow;
use std::collections::HashSet;

use table::{Kept, kept};

use crate::encode::Scale;
use crate::generator::Output;
use crate::makers::fake_form::{Domains, Form, Persona, Words, form_of};
use crate::makers::fake_kind::Kind;
use crate::makers::fake_lists::fold;
use crate::makers::fake_told::{Drawn, Told, Whom};
use crate::makers::ids::IdPlan;
use crate::makers::maker::Maker;
use crate::model::Ask;
use crate::random::{Random, fingerprint, mix};
use crate::sieve::Sieve;

/// Makes the values of one column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Faker {
    /// What they are.
    pub(crate) kind: Kind,
    /// How they are made.
    pub(crate) craft: Craft,
    /// Columns of one group show one persona per row.
    pub(crate) group: u16,
    /// Whether all are different.
    pub(crate) unique: bool,
    /// Where the words of the column's list are made up and stay: share of rows that hold none of them.
    pub(crate) listed: Option<f64>,
    /// Training values.
    pub(crate) known: Sieve,
    /// What the personas of the group are made of; the first column of a group has it.
    pub(crate) cast: Option<Cast>,
}

/// How values are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Craft {
    /// Sign by sign.
    Code(IdPlan),
    /// Words and names in forms.
    Forms(Vec<Form>, Domains),
}

/// What the personas of a group are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cast {
    /// Names.
    pub(crate) words: Words,
    /// The column that shows first names, and the one that shows last names: what a drawn word there says, holds.
    pub(crate) shown: [Option<u16>; 2],
    /// Columns with listed words that speak of someone; what an earlier one says, holds.
    pub(crate) told: Vec<Told>,
    /// Forms of the company, where a column shows one.
    pub(crate) firm: Vec<Form>,
    /// Different personas per row; 0 where every row has its own.
    pub(crate) per_row: f64,
    /// Different names per row among those that no list of made-up words holds.
    pub(crate) crowd: f64,
    /// Whether no two rows may have one name.
    pub(crate) paired: bool,
    /// The column whose values should be different by themselves.
    pub(crate) main: Option<u16>,
}

/// One block of an output.
pub(crate) struct Stage<'a> {
    /// The columns.
    pub(crate) outputs: &'a [Output],
    /// Ticks per output and row.
    pub(crate) ticks: &'a [&'a [f64]],
    /// What was asked.
    pub(crate) ask: &'a Ask,
    /// Position of the block in the output.
    pub(crate) number: u64,
}

impl Stage<'_> {
    /// Blocks of the whole output.
    fn blocks(&self) -> u64 {
        self.ask.rows_total.div_ceil(Ask::BLOCK).max(self.number + 1)
    }

    /// The word that a column shows in a row, if it is a listed one. Of a list of made-up words, as many rows as hold
    /// none of them in the source are taken to hold another.
    pub(crate) fn word(&self, column: u16, row: usize) -> Option<&str> {
        let tick = *self.ticks.get(column as usize)?.get(row)?;
        let word = self.listed(column, if tick.is_nan() { usize::MAX } else { tick as usize })?;
        let rare = self.faker(column).and_then(|faker| faker.listed).unwrap_or(0.0);
        let other = rare > 0.0 && !self.common(column, word) && self.dice(0x6f74_6872, row).unit() < rare;
        (!other).then_some(word)
    }

    /// Whether a word stands for no one.
    fn common(&self, column: u16, word: &str) -> bool {
        self.faker(column).is_some_and(|faker| faker.kind.common(word))
    }

    /// Chance for one row; the same for all columns that ask with the same salt.
    pub(crate) fn dice(&self, salt: u64, row: usize) -> Random {
        Random::at(&[self.ask.seed, salt, self.number * Ask::BLOCK + row as u64])
    }

    /// A listed word of a column.
    pub(crate) fn listed(&self, column: u16, at: usize) -> Option<&str> {
        let Scale::Text { words } = &self.outputs.get(column as usize)?.scale else { return None };
        words.get(at).map(String::as_str)
    }

    /// What makes the values of a column of a kind.
    pub(crate) fn faker(&self, column: u16) -> Option<&Faker> {
        match &self.outputs.get(column as usize)?.maker {
            Some(Maker::Faker(faker)) => Some(faker),
            _ => None,
        }
    }
}

/// What no two rows of a block may share.
#[derive(Default)]
struct Taken {
    pairs: HashSet<u64>,
    texts: Vec<HashSet<String>>,
    /// Last names by what their letters add to the weight of a text; empty where they are not to be chosen by it.
    lasts: Vec<Vec<u32>>,
}

/// What the signs of a text weigh together. The weight says which block may write the text, and because it adds up, a
/// last name can be chosen that makes it right.
fn weight(text: &str) -> u64 {
    text.bytes().map(|byte| mix(byte as u64 + 0x5749) & 0xffff).sum()
}

fn lasts_by_weight(cast: &Cast, blocks: u64) -> Vec<Vec<u32>> {
    if cast.main.is_none() || cast.paired || blocks < 2 || blocks > 4 * cast.words.lasts.len() as u64 {
        return Vec::new();
    }
    let mut lasts = vec![Vec::new(); blocks as usize];
    for (at, last) in cast.words.lasts.iter().enumerate() {
        lasts[(weight(&fold(last)) % blocks) as usize].push(at as u32);
    }
    lasts
}

/// The made-up texts of a group in one block: per column of `members`, per row; empty where none is wanted.
pub(crate) fn act(stage: &Stage, members: &[u16]) -> Vec<Vec<String>> {
    let rows = stage.ticks.first().map_or(0, |ticks| ticks.len());
    let mut texts: Vec<Vec<String>> = members.iter().map(|_| Vec::with_capacity(rows)).collect();
    let nobody = Cast::default();
    let cast = members.iter().find_map(|&at| stage.faker(at)?.cast.as_ref()).unwrap_or(&nobody);
    let mut taken = Taken {
        pairs: HashSet::new(),
        texts: members.iter().map(|_| HashSet::new()).collect(),
        lasts: lasts_by_weight(cast, stage.blocks()),
    };
    let whom: Vec<Whom> = cast.told.iter().map(Whom::of).collect();
    for row in 0..rows {
        let mut drawn = Drawn::of(stage, cast, row);
        let being = being_of(stage, cast, members, row, &drawn);
        drawn.complete(stage, cast, &whom, row);
        let (who, main) = persona(stage, cast, members, drawn.names, being, &mut taken);
        for (nth, &column) in members.iter().enumerate() {
            let Some(faker) = stage.faker(column) else { continue };
            let mut wanted = !stage.ticks[column as usize][row].is_nan();
            let mut listed = String::new();
            if wanted && stage.word(column, row).is_some() {
                // A drawn word that speaks of someone else gives way to one of the row's persona.
                let tick = stage.ticks[column as usize][row] as usize;
                let other = whom.iter().find(|whom| whom.column == column && !whom.fits(tick, &who));
                let found = other.and_then(|whom| stage.listed(column, whom.word(&who)?));
                listed = found.unwrap_or_default().to_string();
                wanted = other.is_some() && listed.is_empty();
            }
            let own = [Kind::First, Kind::Last].iter().position(|&kind| kind == faker.kind);
            let own = own.and_then(|part| drawn.names[part]).filter(|_| !faker.unique);
            texts[nth].push(match (&faker.craft, &main) {
                _ if !wanted => listed,
                (Craft::Forms(..), _) if own.is_some() => own.unwrap_or_default().to_string(),
                (Craft::Code(plan), _) if faker.unique => {
                    let at = stage.number * Ask::BLOCK + row as u64;
                    plan.id(at, stage.ask.rows_total.max(at + 1), salt(stage, column))
                }
                (Craft::Code(plan), _) => plan.id(being, beings(stage, cast).max(being + 1), salt(stage, column)),
                (_, Some(text)) if cast.main == Some(column) => {
                    taken.texts[nth].insert(text.clone());
                    text.clone()
                }
                (Craft::Forms(forms, domains), _) => {
                    let scene = Scene { stage, cast, faker, forms, domains, column, being };
                    scene.text(&who, &mut taken.texts[nth])
                }
            });
        }
    }
    texts
}

fn salt(stage: &Stage, column: u16) -> u64 {
    mix(stage.ask.seed ^ mix(column as u64))
}

/// How many personas an output has.
fn beings(stage: &Stage, cast: &Cast) -> u64 {
    if cast.per_row == 0.0 {
        return stage.ask.rows_total.max(1);
    }
    ((stage.ask.rows_total as f64 * cast.per_row).ceil() as u64).max(1)
}

/// Whose row it is.
fn being_of(stage: &Stage, cast: &Cast, members: &[u16], row: usize, drawn: &Drawn) -> u64 {
    let at = stage.number * Ask::BLOCK + row as u64;
    if cast.per_row == 0.0 {
        return at;
    }
    let group = members.first().copied().unwrap_or(0) as u64;
    let dice = Random::at(&[stage.ask.seed, 0x6265_696e, group, at]).next();
    let all = beings(stage, cast);
    if drawn.key == 0 {
        return ((dice as u128 * all as u128) >> 64) as u64;
    }
    // Of all personas, those of whom the drawn words speak: the same words again may be said of the same one.
    let some = ((all as f64 * drawn.share).round() as u64).max(1);
    mix(drawn.key ^ mix(((dice as u128 * some as u128) >> 64) as u64)) >> 11
}

/// The persona of a row, and what the group's main column shows of it where that has to be different from all others.
fn persona<'a>(
    stage: &'a Stage,
    cast: &'a Cast,
    members: &[u16],
    drawn: [Option<&'a str>; 2],
    being: u64,
    taken: &mut Taken,
) -> (Persona<'a>, Option<String>) {
    let blocks = stage.blocks();
    let group = members.first().copied().unwrap_or(0) as u64;
    let main = cast.main.and_then(|at| Some((members.iter().position(|&m| m == at)?, at, stage.faker(at)?)));
    let tries = if main.is_some() { (blocks * 8).clamp(4, 64) } else { 6 };
    let mut who = Persona::default();
    for attempt in 0..tries {
        let mut random = Random::at(&[stage.ask.seed, 0x7065_7273, group, being, attempt]);
        who = someone(cast, drawn, blocks, stage.number, &mut random);
        if !cast.firm.is_empty() {
            let mut firm = String::new();
            if let Some(form) = form_of(&cast.firm, &mut random) {
                form.write(&who, &cast.words, &Domains::default(), &mut random, &mut firm);
            }
            who.company = Cow::Owned(firm);
        }
        let pair_of = |who: &Persona| fingerprint(fingerprint(1, who.first.as_bytes()), who.last.as_bytes());
        let pair = pair_of(&who);
        if cast.paired && attempt + 1 < tries && taken.pairs.contains(&pair) {
            continue;
        }
        if let Some((nth, column, faker)) = main
            && let Craft::Forms(forms, domains) = &faker.craft
        {
            let scene = Scene { stage, cast, faker, forms, domains, column, being };
            let mut text = scene.attempt(&who, attempt);
            if !taken.lasts.is_empty() && drawn[1].is_none() && !scene.owns(&text, &who) {
                let rest = weight(&text).saturating_sub(weight(&fold(&who.last)));
                let wanted = (stage.number + blocks - rest % blocks) % blocks;
                let lasts = &taken.lasts[wanted as usize];
                if let Some(&last) = lasts.get(random.below(lasts.len())) {
                    who.last = Cow::Borrowed(&cast.words.lasts[last as usize]);
                    text = scene.attempt(&who, attempt);
                }
            }
            if scene.fits(&text, &who, &taken.texts[nth]) {
                taken.pairs.insert(pair_of(&who));
                return (who, Some(text));
            }
            continue;
        }
        taken.pairs.insert(pair);
        return (who, None);
    }
    (who, None)
}

/// Someone with these drawn names, the others of the group's lists; where there is a choice, of those names that belong
/// to this block alone.
fn someone<'a>(
    cast: &'a Cast,
    drawn: [Option<&'a str>; 2],
    blocks: u64,
    number: u64,
    random: &mut Random,
) -> Persona<'a> {
    let (firsts, lasts) = (&cast.words.firsts, &cast.words.lasts);
    let place = |word: &str| fingerprint(7, word.as_bytes()) % blocks;
    let dice = random.next();
    let free = |list: &'a [String], other: Option<u64>, random: &mut Random| -> (&'a str, u64) {
        let Some(other) = other.filter(|_| cast.paired && list.len() as u64 >= blocks) else {
            let at = random.below(list.len());
            return (list.get(at).map_or("", String::as_str), at as u64);
        };
        let first = (blocks + number - other % blocks) % blocks;
        let steps = (list.len() as u64 - first).div_ceil(blocks);
        let at = first + blocks * random.below(steps as usize) as u64;
        (list.get(at as usize).map_or("", String::as_str), at)
    };
    let (first, last) = match drawn {
        [Some(first), Some(last)] => ((first, place(first)), (last, place(last))),
        [Some(first), None] => ((first, place(first)), free(lasts, Some(place(first)), random)),
        [None, Some(last)] => (free(firsts, Some(place(last)), random), (last, place(last))),
        [None, None] => {
            let first = free(firsts, None, random);
            (first, free(lasts, Some(first.1), random))
        }
    };
    let owned = (first.1 + last.1) % blocks == number;
    Persona { first: Cow::Borrowed(first.0), last: Cow::Borrowed(last.0), company: Cow::Borrowed(""), dice, owned }
}

/// One column that shows something of a persona.
struct Scene<'a> {
    stage: &'a Stage<'a>,
    cast: &'a Cast,
    faker: &'a Faker,
    forms: &'a [Form],
    domains: &'a Domains,
    column: u16,
    being: u64,
}

impl Scene<'_> {
    fn attempt(&self, who: &Persona, attempt: u64) -> String {
        let mut random = Random::at(&[self.stage.ask.seed, 0x7465_7874, self.column as u64, self.being, attempt]);
        if self.faker.kind == Kind::Company && attempt == 0 && !who.company.is_empty() {
            return who.company.to_string();
        }
        let mut text = String::with_capacity(32);
        if let Some(form) = form_of(self.forms, &mut random) {
            form.write(who, &self.cast.words, self.domains, &mut random, &mut text);
        }
        if self.faker.unique { self.numbered(text) } else { text }
    }

    /// The text with its number changed to the next one that this block may write, if there is one of that length.
    fn numbered(&self, text: String) -> String {
        let (Some((from, to)), blocks) = (last_digits(&text), self.stage.blocks()) else { return text };
        let (digits, Ok(number)) = (to - from, text[from..to].parse::<u64>()) else { return text };
        let own = number - number % blocks + self.stage.number;
        let own = if own.to_string().len() > digits { own.saturating_sub(blocks) } else { own };
        if own.to_string().len() != digits || own == number || text[from..to].starts_with('0') {
            return text;
        }
        format!("{}{own}{}", &text[..from], &text[to..])
    }

    /// Whether the text may stand in this row.
    fn fits(&self, text: &str, who: &Persona, taken: &HashSet<String>) -> bool {
        !text.is_empty()
            && !self.faker.known.holds(text.as_bytes())
            && (!self.faker.unique || (self.owns(text, who) && !taken.contains(text)))
    }

    /// Whether this block alone may write the text: by the number in it, or by what it is.
    fn owns(&self, text: &str, who: &Persona) -> bool {
        let blocks = self.stage.blocks();
        match last_digits(text) {
            Some((from, to)) => text[from..to].parse::<u64>().is_ok_and(|n| n % blocks == self.stage.number),
            None if self.faker.kind == Kind::Full => who.owned,
            None => weight(text) % blocks == self.stage.number,
        }
    }

    /// A text for the persona; where none fits by itself, one with a number.
    fn text(&self, who: &Persona, taken: &mut HashSet<String>) -> String {
        let bound = matches!(self.faker.kind, Kind::First | Kind::Last | Kind::Full);
        let tries = if bound { 3 } else { 16 };
        let mut text = String::new();
        for attempt in 0..tries {
            text = self.attempt(who, attempt);
            if self.fits(&text, who, taken) {
                break;
            }
            if attempt + 1 < tries {
                continue;
            }
            if bound && !self.faker.unique {
                break;
            }
            let blocks = self.stage.blocks();
            for nth in 1..2000 {
                let numbered = with_number(&text, self.stage.number + blocks * nth);
                if self.fits(&numbered, who, taken) {
                    text = numbered;
                    break;
                }
            }
        }
        if self.faker.unique {
            taken.insert(text.clone());
        }
        text
    }
}

/// The last run of digits before the `@`, or of the whole text.
fn last_digits(text: &str) -> Option<(usize, usize)> {
    let end = text.find('@').unwrap_or(text.len());
    let to = text[..end].rfind(|c: char| c.is_ascii_digit())? + 1;
    let from = text[..to]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    Some((from, to))
}

/// The text with a number in the place of its last one, else behind its last word (before the `@`).
pub(crate) fn with_number(text: &str, number: u64) -> String {
    match last_digits(text) {
        Some((from, to)) => format!("{}{number}{}", &text[..from], &text[to..]),
        None => {
            let end = text.find('@').unwrap_or(text.len());
            let blank = if text[..end].contains(' ') { " " } else { "" };
            format!("{}{blank}{number}{}", &text[..end], &text[end..])
        }
    }
}

impl Kept for Kind {
    fn put(&self, out: &mut Vec<u8>) {
        (Kind::ALL.iter().position(|kind| kind == self).unwrap_or(0) as u8).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Kind> {
        Kind::ALL.get(u8::take(from)? as usize).copied()
    }
}

kept!(enum Craft {
    0 => Code(plan),
    1 => Forms(forms, domains),
});

kept!(struct Cast { words, shown, told, firm, per_row, crowd, paired, main });

kept!(struct Faker { kind, craft, group, unique, listed, known, cast });

//! Groups of columns that show one persona: typed columns come in, which belong together goes out. What counts is what
//! the rows show, measured against rows that do not belong together.

use crate::makers::fake_fit::{Typed, domain_in};
use crate::makers::fake_form::{Part, Piece};
use crate::makers::fake_kind::Kind;
use crate::makers::fake_lists::fold;
use crate::makers::fake_parse::{Named, parse_user, split_name};

/// Rows looked at.
const ROWS_MAX: usize = 600;

/// Columns by group; positions are those among the typed columns.
pub(crate) struct Groups {
    /// Members of each group, ascending.
    pub(crate) members: Vec<Vec<usize>>,
    people: Vec<Person>,
    of: Vec<usize>,
}

/// The columns of a group that name a person: first, last and full name.
#[derive(Clone, Copy, Debug, Default)]
struct Person {
    parts: [Option<usize>; 3],
}

impl Groups {
    /// The columns of first and of last names of a group.
    pub(crate) fn person(&self, group: usize) -> [Option<usize>; 2] {
        let parts = self.people[group].parts;
        [parts[0], parts[1]]
    }

    /// Whether other columns of its group show the names that a column shows.
    pub(crate) fn linked(&self, typed: &[Typed], nth: usize) -> bool {
        let number = self.of[nth];
        let has = |kinds: &[Kind]| self.members[number].iter().any(|&at| at != nth && kinds.contains(&typed[at].kind));
        match typed[nth].kind {
            Kind::First | Kind::Last => has(&[Kind::Full, Kind::Mail, Kind::User]),
            Kind::Full => has(&[Kind::First, Kind::Last, Kind::Mail, Kind::User]),
            _ => self.people(number) > 0,
        }
    }

    /// How many columns of a group name a person.
    pub(crate) fn people(&self, group: usize) -> usize {
        self.people[group].parts.iter().flatten().count()
    }

    /// The names that the columns of first and last names show in a row.
    pub(crate) fn shown(&self, typed: &[Typed], nth: usize, row: u32) -> Named {
        let parts = self.people[self.of[nth]].parts;
        let cell = |part: Option<usize>| part.and_then(|at| typed[at].cells[row as usize]).unwrap_or("").to_string();
        Named { first: cell(parts[0]), last: cell(parts[1]) }
    }

    /// As [`Groups::shown`], or those that the full name shows.
    pub(crate) fn named(&self, typed: &[Typed], nth: usize, row: u32) -> Named {
        named(typed, &self.people[self.of[nth]], row)
    }

    /// The company of a row, where a column of the group shows it and it is made up.
    pub(crate) fn company<'a>(&self, typed: &[Typed<'a>], nth: usize, row: u32) -> Option<&'a str> {
        let mut others = self.members[self.of[nth]].iter();
        let column = others.find(|&&at| typed[at].kind == Kind::Company && typed[at].made)?;
        typed[*column].cells[row as usize]
    }
}

fn named(typed: &[Typed], person: &Person, row: u32) -> Named {
    let cell = |part: Option<usize>| part.and_then(|at| typed[at].cells[row as usize]).unwrap_or("");
    let mut name = Named { first: cell(person.parts[0]).to_string(), last: cell(person.parts[1]).to_string() };
    if (name.first.is_empty() || name.last.is_empty())
        && let Some(full) = person.parts[2]
    {
        let whole = split_name(cell(Some(full)), typed[full].turned);
        if name.first.is_empty() && whole.first != name.last {
            name.first = whole.first;
        }
        if name.last.is_empty() && whole.last != name.first {
            name.last = whole.last;
        }
    }
    name
}

/// Puts columns together.
pub(crate) fn group(typed: &[Typed]) -> Groups {
    let of = |kind: Kind| (0..typed.len()).filter(|&at| typed[at].kind == kind).collect::<Vec<_>>();
    let (firsts, lasts) = (of(Kind::First), of(Kind::Last));
    let mut people: Vec<Person> = (0..firsts.len().max(lasts.len()))
        .map(|at| Person { parts: [firsts.get(at).copied(), lasts.get(at).copied(), None] })
        .collect();
    for full in of(Kind::Full) {
        let spelled =
            |person: &Person, shift: usize| share(typed, full, shift, &|cell, row| spells(typed, person, cell, row));
        let found = people
            .iter()
            .position(|person| person.parts[2].is_none() && telling(&|shift| spelled(person, shift)) > 0.4);
        match found {
            Some(at) => people[at].parts[2] = Some(full),
            None => people.push(Person { parts: [None, None, Some(full)] }),
        }
    }
    let mut group_of: Vec<Option<usize>> = vec![None; typed.len()];
    for (number, person) in people.iter().enumerate() {
        person.parts.iter().flatten().for_each(|&at| group_of[at] = Some(number));
    }
    for kind in [Kind::Mail, Kind::User] {
        for column in of(kind) {
            let score = |person: &Person| {
                telling(&|shift| share(typed, column, shift, &|cell, row| is_of(typed, person, cell, row)))
            };
            let scores: Vec<f64> = people.iter().map(score).collect();
            let best = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            group_of[column] = best.filter(|&at| scores[at] > 0.2);
            if group_of[column].is_none() {
                group_of[column] = Some(people.len());
                people.push(Person::default());
            }
        }
    }
    for column in (0..typed.len()).filter(|&at| matches!(typed[at].kind, Kind::Url | Kind::Domain)) {
        let near = (0..typed.len()).filter(|&at| at != column && group_of[at].is_some());
        group_of[column] = near
            .filter(|&at| {
                telling(&|shift| {
                    share(typed, column, shift, &|cell, row| same_domain(&typed[column], cell, &typed[at], row))
                }) > 0.3
            })
            .find_map(|at| group_of[at]);
        group_of[column].get_or_insert_with(|| {
            people.push(Person::default());
            people.len() - 1
        });
    }
    for column in of(Kind::Company) {
        let near = (0..typed.len()).filter(|&at| group_of[at].is_some() && typed[at].kind != Kind::Company);
        let of_company =
            |at: usize| telling(&|shift| share(typed, column, shift, &|cell, row| names_domain(cell, &typed[at], row)));
        let found = near.filter(|&at| of_company(at) > 0.15).find_map(|at| group_of[at]);
        group_of[column] = found;
    }
    let of: Vec<usize> = group_of
        .into_iter()
        .map(|group| {
            group.unwrap_or_else(|| {
                people.push(Person::default());
                people.len() - 1
            })
        })
        .collect();
    let members = (0..people.len()).map(|number| (0..of.len()).filter(|&at| of[at] == number).collect()).collect();
    Groups { members, people, of }
}

/// How much more often something holds of a row than of rows that do not belong together.
fn telling(share: &dyn Fn(usize) -> f64) -> f64 {
    share(0) - share(1)
}

/// Share of rows where `holds` is true of the column's cell and the row `shift` further on.
fn share(typed: &[Typed], column: usize, shift: usize, holds: &dyn Fn(&str, u32) -> bool) -> f64 {
    let cells = &typed[column].cells;
    let step = cells.len().div_ceil(ROWS_MAX).max(1);
    let (mut all, mut held) = (0, 0);
    for row in (0..cells.len()).step_by(step) {
        if let Some(cell) = cells[row] {
            all += 1;
            held += holds(cell, ((row + shift * 7) % cells.len()) as u32) as usize;
        }
    }
    held as f64 / all.max(1) as f64
}

fn spells(typed: &[Typed], person: &Person, cell: &str, row: u32) -> bool {
    let name = named(typed, person, row);
    let cell = cell.to_lowercase();
    let holds = |part: &str| !part.is_empty() && cell.contains(&part.to_lowercase());
    match (name.first.is_empty(), name.last.is_empty()) {
        (true, true) => false,
        (true, false) => holds(&name.last),
        (false, true) => holds(&name.first),
        (false, false) => holds(&name.first) && holds(&name.last),
    }
}

fn is_of(typed: &[Typed], person: &Person, cell: &str, row: u32) -> bool {
    let name = named(typed, person, row);
    if fold(&name.first).len() + fold(&name.last).len() < 3 {
        return false;
    }
    let user = cell.split('@').next().unwrap_or(cell);
    let pieces = parse_user(user, &name, &|_| false);
    let own = |piece: &Piece| match piece {
        Piece::Part { part: Part::First | Part::Last, cut, .. } => *cut == 0 || *cut >= 3,
        _ => false,
    };
    // With one name known, the other may be guessed: what tells is the known one.
    let known = |name: &str| !name.is_empty() && user.to_lowercase().contains(&fold(name));
    pieces.iter().any(own)
        && (known(&name.first) || known(&name.last) || !name.first.is_empty() && !name.last.is_empty())
}

fn same_domain(own: &Typed, cell: &str, other: &Typed, row: u32) -> bool {
    let Some(cell_of_other) = other.cells[row as usize] else { return false };
    match (domain_in(cell, own.kind), domain_in(cell_of_other, other.kind)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

fn names_domain(company: &str, other: &Typed, row: u32) -> bool {
    let Some(domain) = other.cells[row as usize].and_then(|cell| domain_in(cell, other.kind)) else { return false };
    let stem = fold(domain.split('.').next().unwrap_or(""));
    stem.len() > 1 && (stem == fold(company) || stem == fold(company.split([' ', ',']).next().unwrap_or("")))
}

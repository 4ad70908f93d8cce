//! Rows that belong together: a table in which columns name a group comes in, a generator of whole groups goes out. One
//! model draws groups, with all that is constant in them and how many rows they have; a second one draws their rows one
//! after another, each beside the group and the two rows before it (an autoregressive model of order two over trees).

use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use table::{Spelling, Table};

use crate::encode::{Encoded, Scale, encode};
use crate::filters::{Strictness, protections};
use crate::fit::{Material, Settings, Terms, Told, learn_trees};
use crate::generator::Trees;
use crate::grouped::{Grouped, columns_where, gap_of, named_columns};
use crate::laws::rule::{Rule, Side, Sight, Want, resolve};
use crate::makers::maker::{Maker, find_makers, make_columns};
use crate::model::{Ask, Completion, Generator, Note, Unfit};
use crate::random::mix;
use crate::save::save_sequences;

/// Rows drawn together, at least.
const BATCH_ROWS: u64 = 16_384;

/// Rows before a row that it depends on.
const LAGS: usize = 2;

/// The fitted engine for rows that belong together.
pub(crate) struct Sequences {
    /// One row per group: what is constant in it and, last, how many rows it has.
    pub(crate) groups: Trees,
    /// One row per row, beside its group and the rows before it; `None` where nothing varies in a group.
    pub(crate) events: Option<Trees>,
    /// Where each column of the table comes from.
    pub(crate) places: Vec<Place>,
    /// What the second model is told.
    pub(crate) told: Context,
    /// Rows of a group, on average.
    pub(crate) rows_mean: f64,
    /// What was done.
    pub(crate) notes: Vec<Note>,
    /// The groups of the last output asked for.
    pub(crate) roster: Mutex<Option<Arc<Roster>>>,
}

/// Where a column comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// This output of the model of groups.
    Group(u16),
    /// This output of the model of rows.
    Event(u16),
}

/// Outputs of the model of rows that are given.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Context {
    /// (output of the model of groups, output of the model of rows) that are the same.
    pub(crate) constant: Vec<(u16, u16)>,
    /// How many rows of the group came before, and how many follow.
    pub(crate) position: u16,
    /// (output, the same of the row before, the same of the one before that).
    pub(crate) lags: Vec<(u16, [u16; LAGS])>,
    /// The first output that is drawn and shown; all before it are given or hidden.
    pub(crate) first: u16,
}

/// All groups of one output.
pub(crate) struct Roster {
    seed: u64,
    rows_total: u64,
    /// Per output of the model of groups.
    ticks: Vec<Vec<f64>>,
    /// Rows up to the end of each group.
    ends: Vec<u64>,
    /// First group of each batch.
    batches: Vec<usize>,
}

/// Plain whole numbers.
fn counted(name: &str, values: Vec<f64>) -> Material {
    let encoded = Encoded::plain(values, false, Scale::Real { unit: 1.0, per: 1.0 });
    Material { name: name.into(), spelling: Spelling::plain(), encoded, maker: None, pattern: None, hidden: true }
}

/// Where each column comes from, counted in each model from 0.
fn places_of(constant: &[bool]) -> Vec<Place> {
    let mut places = Vec::new();
    let (mut groups, mut events) = (0, 0);
    for &constant in constant {
        let count = if constant { &mut groups } else { &mut events };
        places.push(if constant { Place::Group(*count) } else { Place::Event(*count) });
        *count += 1;
    }
    places
}

/// Learns whole groups.
pub(crate) fn fit_sequences(
    real: &Table,
    settings: &Settings,
    mut notes: Vec<Note>,
    seed: u64,
    told: Told,
) -> Result<Sequences, Unfit> {
    let (by, order) = named_columns(real, settings)?;
    let grouped = Grouped::of(real, &by, order).enough()?;
    let constant: Vec<bool> = (0..real.columns()).map(|at| by.contains(&at) || grouped.constant(at)).collect();
    let mut rules = Rules::of(&grouped.table, settings, &constant)?;
    // The one column that names groups must not name two of them alike.
    if let [name] = by[..] {
        rules.wants[name].unique = true;
    }
    let mut places = places_of(&constant);
    let firsts = grouped.table.take(&grouped.starts);
    let firsts = columns_where(&firsts, |at| constant[at]);
    let wants = |kept: bool| -> Vec<Want> {
        rules.wants.iter().zip(&constant).filter(|want| *want.1 == kept).map(|want| want.0.clone()).collect()
    };
    let encoded: Vec<Encoded> =
        (0..firsts.columns()).into_par_iter().map(|at| encode(&firsts, at, settings.floor, None, None)).collect();
    let (encoded, makers) = find_makers(&firsts, None, encoded, &wants(true), settings.floor, seed, &mut notes);
    let shared: Vec<(usize, Material)> = (0..firsts.columns())
        .filter(|&at| makers[at].is_none())
        .map(|at| (at, spread(&firsts, at, &encoded[at], &grouped.units)))
        .collect();
    let mut material: Vec<Material> = encoded
        .into_iter()
        .zip(makers)
        .enumerate()
        .zip(wants(true))
        .map(|((at, (encoded, maker)), want)| Material {
            pattern: want.pattern,
            ..Material::of(&firsts, at, encoded, maker)
        })
        .collect();
    let sizes = grouped.sizes();
    let rows_mean = grouped.units.len() as f64 / sizes.len() as f64;
    material.push(counted("the number of rows", sizes));
    notes.extend(protections(&Settings { outliers: Strictness::Off, ..settings.clone() }));
    let similarity = settings.similarity;
    let leaf = settings.leaf;
    let terms = Terms { leaf, rules: rules.groups, similarity, ..Terms::plain(settings.floor, seed) };
    let groups = learn_trees(material, &terms, Vec::new(), told)?;
    let varying = columns_where(&grouped.table, |at| !constant[at]);
    let by_order = order.filter(|&at| !constant[at]).and_then(|at| varying.position(real.name(at)));
    let learned = learn_events(
        &grouped,
        varying,
        by_order,
        shared,
        (rules.events, wants(false)),
        settings,
        seed,
        &mut notes,
        told,
    )?;
    let (events, told) = learned.map_or((None, Context::default()), |(events, told)| (Some(events), told));
    for place in &mut places {
        if let Place::Event(at) = place {
            *at += told.first;
        }
    }
    notes.extend(groups.notes.iter().cloned());
    notes.extend(events.iter().flat_map(|events| events.notes.iter().cloned()));
    notes.push(Note { kind: "column", text: about(&grouped, settings, &constant) });
    said_once(&mut notes);
    Ok(Sequences { groups, events, places, told, rows_mean, notes, roster: Mutex::new(None) })
}

/// Leaves out what was said before, and what is said of the rows before.
fn said_once(notes: &mut Vec<Note>) {
    let mut seen = std::collections::BTreeSet::new();
    notes.retain(|note| !note.text.contains("the one before") && seen.insert(note.text.clone()));
}

fn about(grouped: &Grouped, settings: &Settings, constant: &[bool]) -> String {
    let names: Vec<String> = settings.group_by.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "Rows of the same {} are drawn together, one after another: {} groups, {} columns that are constant in a group. A \
         value of a text is shown if at least {} groups hold it.",
        names.join(" and "),
        grouped.starts.len(),
        constant.iter().filter(|&&c| c).count(),
        settings.floor
    )
}

/// A column of groups as a column of rows.
fn spread(firsts: &Table, at: usize, encoded: &Encoded, units: &[u32]) -> Material {
    let values = units.iter().map(|&unit| encoded.values[unit as usize]).collect();
    let encoded = Encoded::plain(values, encoded.nominal, encoded.scale.clone());
    Material { hidden: false, ..Material::of(firsts, at, encoded, None) }
}

/// The rules of each model.
struct Rules {
    groups: Vec<Rule>,
    /// Over columns of the table; they are renumbered when the outputs of the second model are known.
    events: Vec<Rule>,
    /// One per column of the table.
    wants: Vec<Want>,
}

impl Rules {
    fn of(table: &Table, settings: &Settings, constant: &[bool]) -> Result<Rules, Unfit> {
        if settings.constraints.is_empty() {
            let wants = vec![Want::default(); table.columns()];
            return Ok(Rules { groups: Vec::new(), events: Vec::new(), wants });
        }
        let encoded: Vec<Encoded> = (0..table.columns()).map(|at| encode(table, at, 1, None, None)).collect();
        let sights: Vec<Sight> = (0..table.columns())
            .map(|at| Sight { name: table.name(at), spelling: table.spelling(at), scale: &encoded[at].scale })
            .collect();
        let demands = resolve(&settings.constraints, &sights).map_err(Unfit::Misfit)?;
        let group_place = |at: u16| constant[..at as usize].iter().filter(|&&c| c).count() as u16;
        let (groups, events): (Vec<Rule>, Vec<Rule>) =
            demands.rules.into_iter().partition(|rule| rule.columns().iter().all(|&at| constant[at as usize]));
        let groups = groups.into_iter().map(|rule| rule.renumbered(&group_place)).collect();
        Ok(Rules { groups, events, wants: demands.wants })
    }
}

/// What the model of rows is told: what is constant in the group, the place in it, and the two rows before.
fn known_columns(
    grouped: &Grouped,
    varying: &Table,
    encoded: &[Encoded],
    makers: &[Option<Maker>],
    shared: Vec<(usize, Material)>,
) -> (Vec<Material>, Context, Vec<Lagged>) {
    let mut context = Context::default();
    let mut material: Vec<Material> = Vec::new();
    for (at, constant) in shared {
        context.constant.push((at as u16, material.len() as u16));
        material.push(constant);
    }
    context.position = material.len() as u16;
    let position: Vec<f64> = grouped
        .units
        .iter()
        .enumerate()
        .map(|(row, &unit)| (row as u32 - grouped.starts[unit as usize]) as f64)
        .collect();
    let sizes = grouped.sizes();
    let left = position.iter().zip(&grouped.units).map(|(at, &unit)| sizes[unit as usize] - 1.0 - at).collect();
    material.push(counted("the rows before", position));
    material.push(counted("the rows to come", left));
    let mut lags: Vec<Lagged> = Vec::new();
    for at in (0..varying.columns()).filter(|&at| makers[at].is_none()) {
        let mut places = [0; LAGS];
        for (by, place) in places.iter_mut().enumerate() {
            *place = material.len() as u16;
            let values = grouped.lagged(&encoded[at].values, by + 1);
            let own = Encoded::plain(values, encoded[at].nominal, encoded[at].scale.clone());
            let name = format!("{} of {} before", varying.name(at), by + 1);
            material.push(Material { name, hidden: true, ..Material::of(varying, at, own, None) });
        }
        lags.push((at, places));
    }
    (material, context, lags)
}

/// A column that varies and where the same of the rows before it stands.
type Lagged = (usize, [u16; LAGS]);

type Learned = Option<(Trees, Context)>;

/// Learns what varies within groups.
#[allow(clippy::too_many_arguments)]
fn learn_events(
    grouped: &Grouped,
    varying: Table,
    order: Option<usize>,
    shared: Vec<(usize, Material)>,
    (rules, wants): (Vec<Rule>, Vec<Want>),
    settings: &Settings,
    seed: u64,
    notes: &mut Vec<Note>,
    told: Told,
) -> Result<Learned, Unfit> {
    if varying.columns() == 0 {
        return Ok(None);
    }
    let units = Some(grouped.units.as_slice());
    let encoded: Vec<Encoded> =
        (0..varying.columns()).into_par_iter().map(|at| encode(&varying, at, settings.floor, units, None)).collect();
    let (encoded, makers) = find_makers(&varying, None, encoded, &wants, settings.floor, mix(seed), notes);
    let (mut material, mut context, lags) = known_columns(grouped, &varying, &encoded, &makers, shared);
    let given: Vec<usize> = (0..material.len()).collect();
    let gap =
        order.and_then(|at| Some((at, lags.iter().find(|lag| lag.0 == at)?.1[0], gap_of(grouped, &encoded[at])?)));
    let mut all_rules = Vec::new();
    let gaps = gap.is_some() as usize;
    context.first = (material.len() + gaps) as u16;
    if let Some((at, before, gap)) = gap {
        let terms = vec![(before, 1.0), (material.len() as u16, 1.0)];
        all_rules.push(Rule::Sum { target: context.first + at as u16, terms, constant: 0.0 });
        all_rules.push(Rule::Compare {
            left: Side::Column(before),
            right: Side::Column(context.first + at as u16),
            strict: false,
        });
        let mut gap = counted("the gap to the row before", gap);
        gap.encoded.scale = Scale::Real { unit: encoded[at].scale.line().1, per: 1.0 };
        material.push(gap);
    }
    context.lags = lags.into_iter().map(|(at, places)| (context.first + at as u16, places)).collect();
    let place_of = |name: &str| material.iter().position(|known| !known.hidden && known.name == name);
    let by_name = |at: u16| {
        let name = grouped.table.name(at as usize);
        let own = varying.position(name).map(|own| context.first + own as u16);
        own.or(place_of(name).map(|at| at as u16)).unwrap_or(context.first)
    };
    all_rules.extend(rules.into_iter().map(|rule| rule.renumbered(&by_name)));
    for (at, ((encoded, maker), want)) in encoded.into_iter().zip(makers).zip(wants).enumerate() {
        material.push(Material { pattern: want.pattern, ..Material::of(&varying, at, encoded, maker) });
    }
    let similarity = settings.similarity;
    let leaf = settings.leaf;
    let terms =
        Terms { leaf, given: &given, rules: all_rules, units, similarity, ..Terms::plain(settings.floor, mix(seed)) };
    Ok(Some((learn_trees(material, &terms, Vec::new(), told)?, context)))
}

impl Sequences {
    /// The groups of an output of so many rows.
    fn roster(&self, seed: u64, rows_total: u64) -> Arc<Roster> {
        let mut last = self.roster.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(roster) = last.as_ref()
            && roster.seed == seed
            && roster.rows_total == rows_total
        {
            return roster.clone();
        }
        let mut count = (rows_total as f64 / self.rows_mean.max(1.0)).ceil() as usize + 16;
        let roster = loop {
            let ticks = self.groups.draw_ticks(&Ask::all(count, seed), None);
            let mut sum = 0;
            let rows = |size: &f64| if size.is_nan() { 1 } else { size.max(1.0) as u64 };
            let mut ends: Vec<u64> = Vec::new();
            for size in ticks.last().into_iter().flatten() {
                if sum >= rows_total {
                    break;
                }
                sum = (sum + rows(size)).min(rows_total);
                ends.push(sum);
            }
            if sum >= rows_total {
                let (mut batches, mut next) = (Vec::new(), 0);
                for group in 0..ends.len() {
                    let start = group.checked_sub(1).map_or(0, |before| ends[before]);
                    if start >= next {
                        batches.push(group);
                        next = start + BATCH_ROWS;
                    }
                }
                break Arc::new(Roster { seed, rows_total, ticks, ends, batches });
            }
            count += count / 3;
        };
        *last = Some(roster.clone());
        roster
    }

    /// The rows of the groups `from .. to`, per output shown by the model of rows.
    fn draw_batch(&self, events: &Trees, roster: &Roster, from: usize, to: usize) -> Vec<Vec<f64>> {
        let first_row = from.checked_sub(1).map_or(0, |before| roster.ends[before]);
        let starts: Vec<usize> = (from..to)
            .map(|group| (group.checked_sub(1).map_or(0, |before| roster.ends[before]) - first_row) as usize)
            .collect();
        let rows = (roster.ends[to - 1] - first_row) as usize;
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([rows]).collect();
        let first = self.told.first as usize;
        let mut drawn = vec![vec![f64::NAN; rows]; events.outputs.len() - first];
        let mut live: Vec<usize> = (0..to - from).collect();
        for step in 0.. {
            live.retain(|&group| starts[group] + step < ends[group]);
            if live.is_empty() {
                break;
            }
            let mut given = vec![Vec::new(); events.nodes.len()];
            for &(group_output, output) in &self.told.constant {
                given[output as usize] = live.iter().map(|&g| roster.ticks[group_output as usize][from + g]).collect();
            }
            let position = self.told.position as usize;
            given[position] = vec![step as f64; live.len()];
            given[position + 1] = live.iter().map(|&g| (ends[g] - starts[g] - 1 - step) as f64).collect();
            for (output, places) in &self.told.lags {
                let own = &drawn[*output as usize - first];
                for (by, &place) in places.iter().enumerate() {
                    let before = |g: &usize| if step > by { own[starts[*g] + step - by - 1] } else { f64::NAN };
                    given[place as usize] = live.iter().map(before).collect();
                }
            }
            let number = mix(((from as u64) << 32) ^ step as u64);
            let new = events.draw_fit(mix(roster.seed), number, live.len(), &given);
            for (column, new) in drawn.iter_mut().zip(&new[first..]) {
                live.iter().zip(new).for_each(|(&group, &value)| column[starts[group] + step] = value);
            }
        }
        drawn
    }

    /// The columns that vary within groups, for the rows asked for.
    fn event_table(&self, events: &Trees, roster: &Roster, ask: &Ask) -> Vec<table::Column> {
        let (from, to) = (ask.first_row, ask.first_row + ask.rows as u64);
        let row_of = |group: usize| group.checked_sub(1).map_or(0, |before| roster.ends[before]);
        let bounds: Vec<usize> = roster.batches.iter().copied().chain([roster.ends.len()]).collect();
        let wanted: Vec<&[usize]> =
            bounds.windows(2).filter(|batch| row_of(batch[0]) < to && row_of(batch[1]) > from).collect();
        let parts: Vec<Vec<Vec<f64>>> = wanted
            .par_iter()
            .map(|batch| {
                let rows = row_of(batch[0])..row_of(batch[1]);
                let cut = (from.max(rows.start) - rows.start) as usize..(to.min(rows.end) - rows.start) as usize;
                let mut drawn = self.draw_batch(events, roster, batch[0], batch[1]);
                drawn.iter_mut().for_each(|column| *column = column[cut.clone()].to_vec());
                drawn
            })
            .collect();
        let first = self.told.first as usize;
        let shown = 0..events.outputs.len() - first;
        let joined: Vec<Vec<f64>> =
            shown.map(|at| parts.iter().flat_map(|part| part[at].iter().copied()).collect()).collect();
        make_columns(&events.outputs[first..], &joined, &Ask { seed: mix(ask.seed), ..*ask })
    }
}

impl Generator for Sequences {
    fn sample(&self, ask: &Ask) -> Table {
        let roster = self.roster(ask.seed, ask.rows_total.max(ask.first_row + ask.rows as u64));
        let group_of = |row: u64| roster.ends.partition_point(|&end| end <= row);
        let (from, to) = match ask.rows {
            0 => (0, 0),
            rows => (group_of(ask.first_row), group_of(ask.first_row + rows as u64 - 1) + 1),
        };
        // Makers work in whole blocks, so that what they make does not depend on where an output is cut.
        let total = roster.ends.len();
        let block = Ask::BLOCK as usize;
        let (low, high) = (from / block * block, to.next_multiple_of(block).min(total));
        let ticks: Vec<Vec<f64>> = roster.ticks.iter().map(|ticks| ticks[low..high].to_vec()).collect();
        let groups = Ask { first_row: low as u64, rows: high - low, rows_total: total as u64, seed: ask.seed };
        let groups = Table::new(make_columns(&self.groups.outputs, &ticks, &groups)).expect("one row per group");
        let of_row: Vec<u32> = (0..ask.rows as u64).map(|row| (group_of(ask.first_row + row) - low) as u32).collect();
        let groups = groups.take(&of_row);
        let events = self.events.as_ref().map_or(Vec::new(), |events| self.event_table(events, &roster, ask));
        let columns = self.places.iter().map(|place| match *place {
            Place::Group(at) => groups.column(at as usize),
            Place::Event(at) => events[(at - self.told.first) as usize].clone(),
        });
        Table::new(columns.collect()).expect("every column has the rows asked for")
    }

    fn header(&self) -> Table {
        self.sample(&Ask::all(0, 0))
    }

    fn beside(&self, _: &[usize], _: u64) -> Option<Box<dyn Completion>> {
        None
    }

    fn made(&self) -> Vec<usize> {
        let of = |model: &Trees, at: u16| model.made().contains(&usize::from(at));
        let made = |place: &Place| match place {
            Place::Group(at) => of(&self.groups, *at),
            Place::Event(at) => self.events.as_ref().is_some_and(|events| of(events, *at)),
        };
        (0..self.places.len()).filter(|&at| made(&self.places[at])).collect()
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn save(&self) -> Vec<u8> {
        save_sequences(self)
    }
}

impl Sequences {
    /// Whether its parts fit each other, so that sampling cannot go astray.
    pub(crate) fn coherent(&self) -> bool {
        let (groups, told) = (self.groups.outputs.len(), &self.told);
        let events = self.events.as_ref().map_or(0, |events| events.outputs.len());
        let group = |at: u16| (at as usize) < groups;
        let given = |at: u16| at < told.first;
        let shown = |at: u16| at >= told.first && (at as usize) < events;
        let places = self.places.iter().all(|place| match *place {
            Place::Group(at) => group(at),
            Place::Event(at) => shown(at),
        });
        let context = events == 0
            || told.first as usize <= events
                && given(told.position + 1)
                && told.constant.iter().all(|&(g, e)| group(g) && given(e))
                && told.lags.iter().all(|&(of, places)| shown(of) && places.iter().all(|&p| given(p)));
        let parts = self.groups.coherent() && self.events.iter().all(Trees::coherent);
        places && context && parts && groups > 0 && self.rows_mean.is_finite()
    }
}

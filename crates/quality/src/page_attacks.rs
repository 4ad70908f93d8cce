//! The attacks of the page, told to a reader who never ran one. In: a report. Out: for each attack who would do it and
//! how, what it reaches with the interval of that, what it would reach with nothing to find, and a scale with all three.

use std::fmt::Write;

use crate::metric::{Outcome, Score};
use crate::page::{grade, joined, outcome};
use crate::page_axes::{Axis, Plot, Tick, shares, write_text};
use crate::report::Report;
use crate::statistic::Z95;
use crate::svg::{escape, percent, width};

/// One attack.
#[derive(Default)]
pub(crate) struct Attack {
    /// The question it asks.
    pub(crate) title: &'static str,
    /// Who does what with what.
    pub(crate) story: &'static str,
    /// What it reaches, with its unit; empty where it was not measured.
    pub(crate) figure: String,
    /// A class of the style sheet.
    pub(crate) class: &'static str,
    /// The 95 % interval, and what would be reached with nothing to find.
    pub(crate) beside: String,
    /// Markup of the scale.
    pub(crate) scale: String,
    /// What it means.
    pub(crate) said: String,
}

/// How an attack went, as shares.
struct Reach<'a> {
    title: &'static str,
    figure: f64,
    interval: [f64; 2],
    /// What is reached with nothing to find, and its name.
    chance: (f64, &'a str),
    /// Another mark of the scale.
    also: Option<(f64, &'a str)>,
    axis: Axis,
}

const MEMBERSHIP: &str = "Somebody holds the complete row of a person and the synthetic table, and wants to know whether \
                          that person was in the training table. They look how near the closest synthetic rows are, and \
                          train a classifier that tells the synthetic table from real rows. Rows the model never saw \
                          are mixed in: who cannot tell the two kinds apart is right half of the time.";
const SUREST: &str = "The same attack, by somebody who accuses only where it is surest: so seldom that of a hundred people \
                      who were not in the training table one is named wrongly. A few people who stand out can be found \
                      like this where the average says nothing.";
const INFERENCE: &str = "Somebody knows a person's row but for one cell, looks up the most similar synthetic row, and takes \
                         its cell for the person's. What works as well for people whom the model never saw is knowledge \
                         of the source, as any statistic gives it; what works better for people in the training table is \
                         a leak.";
const NEAREST: &str = "A model that learns the source, and not its single rows, puts synthetic rows as near to rows it has \
                       seen as to rows it has not. If they lie nearer to training rows more often than chance allows, \
                       single rows shine through.";

/// The attacks that there are.
pub(crate) fn attacks(report: &Report) -> Vec<Attack> {
    let mut attacks = Vec::new();
    if let Some(found) = outcome(report, "membership_attack") {
        attacks.push(membership(found));
        attacks.extend(surest(found));
    }
    if let Some(found) = outcome(report, "attribute_inference") {
        attacks.push(inference(found));
    }
    attacks
}

fn membership(found: &Outcome) -> Attack {
    let figures = ["auc", "auc_low", "auc_high"].map(|name| found.figure(name));
    let [Some(figure), Some(low), Some(high)] = figures else {
        return unmeasured("Membership: was this person in the training table?", MEMBERSHIP, found);
    };
    let least = (low.min(0.4) * 10.0).floor() / 10.0;
    let ticks = (0..=10).map(|at| at as f64 / 10.0).filter(|&at| at >= least - 1e-9);
    let axis = Axis {
        ends: [least, 1.0],
        ticks: ticks.map(|at| Tick { at, text: format!("{:.0}", at * 100.0) }).collect(),
        title: "pairs of rows told apart rightly, %".into(),
    };
    let verdict = if low <= 0.5 {
        "The interval holds a coin's 50 %: the attack learns nothing that chance does not give."
    } else {
        "Chance alone does not give this: the synthetic table tells something of who was in the training table."
    };
    let reach = Reach {
        title: "Membership: was this person in the training table?",
        figure,
        interval: [low, high],
        chance: (0.5, "a coin 50 %"),
        also: None,
        axis,
    };
    told(
        reach,
        MEMBERSHIP,
        class_of(found, crate::membership_attack::METRIC.bands),
        format!("{verdict} {}", found.sentence),
    )
}

fn surest(found: &Outcome) -> Option<Attack> {
    let figures = ["tpr_at_1_percent_fpr", "tpr_low", "tpr_high"].map(|name| found.figure(name));
    let [Some(figure), Some(low), Some(high)] = figures else { return None };
    let mut axis = shares(high.max(0.05), 5.0);
    axis.title = "training rows found at 1 % false alarms, %".into();
    let (class, verdict) = match () {
        () if low <= 0.01 => ("good", "The interval holds the 1 % that blind guessing finds."),
        () if low <= 0.05 => ("fair", "More are found than blind guessing finds: look at rare rows before sharing."),
        () => ("poor", "Many more are found than blind guessing finds: single people can be recognised."),
    };
    let reach = Reach {
        title: "Membership, where the attack is surest",
        figure,
        interval: [low, high],
        chance: (0.01, "guessing 1 %"),
        also: None,
        axis,
    };
    Some(told(reach, SUREST, class, verdict.to_string()))
}

fn inference(found: &Outcome) -> Attack {
    const TITLE: &str = "Attribute inference: what is this person's missing cell?";
    let figures = ["guessed_training", "guessed_holdout", "excess", "excess_se"].map(|name| found.figure(name));
    let [Some(figure), Some(unseen), Some(excess), Some(error)] = figures else {
        return unmeasured(TITLE, INFERENCE, found);
    };
    let ends = [excess - Z95 * error, excess + Z95 * error];
    let mut axis = shares(1.0, 5.0);
    axis.title = "cells guessed rightly, %".into();
    let verdict = if ends[0] <= 0.0 {
        "People in the training table are guessed no better than others, as far as chance lets tell."
    } else {
        "People in the training table are guessed better than others."
    };
    let reach = Reach {
        title: TITLE,
        figure,
        interval: ends.map(|excess| (unseen + excess * (1.0 - unseen)).clamp(0.0, 1.0)),
        chance: (unseen, &format!("unseen people {}", percent(unseen))),
        also: None,
        axis,
    };
    told(
        reach,
        INFERENCE,
        class_of(found, crate::attribute_inference::METRIC.bands),
        format!("{verdict} {}", found.sentence),
    )
}

/// Where the share of nearest records lies between chance and a full copy.
pub(crate) fn nearest(report: &Report) -> Attack {
    let Some(found) = outcome(report, "nearest_record") else { return Attack::default() };
    let figures = ["dcr_share_train", "dcr_share_se", "dcr_share_full_copy"].map(|name| found.figure(name));
    let [Some(share), Some(error), Some(full)] = figures else { return unmeasured("Nearest records", NEAREST, found) };
    let ends = [(share - 2.0 * error).min(0.45), (share + 2.0 * error).max(full).max(0.55)];
    let ends = [(ends[0] * 20.0).floor() / 20.0, (ends[1] * 20.0).ceil() / 20.0].map(|end: f64| end.clamp(0.0, 1.0));
    let step = if ends[1] - ends[0] > 0.3 { 0.1 } else { 0.05 };
    let ticks = (0..=20).map(|at| at as f64 * step).filter(|at| (ends[0] - 1e-9..=ends[1] + 1e-9).contains(at));
    let axis = Axis {
        ends,
        ticks: ticks.map(|at| Tick { at, text: format!("{:.0}", at * 100.0) }).collect(),
        title: "rows nearer to training rows, %".into(),
    };
    let reach = Reach {
        title: "Nearest records",
        figure: share,
        interval: [share - Z95 * error, share + Z95 * error].map(|end| end.clamp(0.0, 1.0)),
        chance: (0.5, "chance 50 %"),
        also: Some((full, &format!("full copy {:.1} %", full * 100.0))),
        axis,
    };
    told(reach, NEAREST, class_of(found, crate::nearest_record::METRIC.bands), found.sentence.clone())
}

fn class_of(found: &Outcome, bands: [f64; 2]) -> &'static str {
    found.score.value().map_or("unknown", |score| grade(score, bands))
}

fn unmeasured(title: &'static str, story: &'static str, found: &Outcome) -> Attack {
    let said = match found.score {
        Score::Undefined(reason) => format!("Not measured: {reason}."),
        Score::Of(_) => found.sentence.clone(),
    };
    Attack { title, story, said, ..Attack::default() }
}

fn told(reach: Reach<'_>, story: &'static str, class: &'static str, said: String) -> Attack {
    let exact = |share: f64| format!("{:.1}", share * 100.0);
    let [low, high] = reach.interval.map(exact);
    let beside = format!("{low} \u{2013} {high} % with 95 % confidence; {}", reach.chance.1);
    Attack {
        title: reach.title,
        story,
        figure: format!("{} %", exact(reach.figure)).replace(' ', "\u{a0}"),
        class,
        beside: joined(&beside),
        scale: scale(&reach, &beside),
        said: joined(&said),
    }
}

/// An axis with the interval as a band, the figure on it, and what it has to be compared with.
fn scale(reach: &Reach<'_>, beside: &str) -> String {
    let plot = Plot { across: [14.0, 286.0], down: [32.0, 52.0], chart: 300.0 };
    let described =
        format!("{}: {} %, {beside}", reach.axis.title.trim_end_matches(", %"), (reach.figure * 1000.0).round() / 10.0);
    let mut svg = format!("<svg viewBox=\"0 0 300 90\" role=\"img\" aria-label=\"{}\">", escape(&described));
    let [from, to] = reach.interval.map(|end| plot.x(&reach.axis, end));
    let _ = write!(svg, "<path class=\"band\" d=\"M{from:.1} 34H{:.1}V52H{from:.1}z\"/>", to.max(from + 2.0));
    // Two names never stand in one line.
    for (line, (at, text)) in [Some(reach.chance), reach.also].into_iter().flatten().enumerate() {
        let (x, top) = (plot.x(&reach.axis, at), 12.0 + 13.0 * line as f64);
        let half = width(text) * crate::page_axes::TICK_SIZE / 2.0;
        write_text(&mut svg, "tick", [x.clamp(half, 300.0 - half), top], "middle", text);
        let _ = write!(svg, "<path class=\"chance\" d=\"M{x:.1} {:.1}V52\"/>", top + 4.0);
    }
    let x = plot.x(&reach.axis, reach.figure);
    let _ = write!(svg, "<path class=\"fill\" d=\"M{x:.1} 36l7 7l-7 7l-7 -7z\"/>");
    plot.draw_below(&mut svg, &reach.axis);
    svg + "</svg>"
}

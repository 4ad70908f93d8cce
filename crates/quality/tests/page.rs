//! The page: self-contained, escaped, and silent about what is rare.

mod tables;

use quality::{Evidence, Report, judge};
use table::{Column, Spelling, Table};
use tables::{bank, hostile, people, tables_of_all_kinds, wide};

fn judged(training: &Table, synthetic: &Table, holdout: Option<&Table>) -> Report {
    judge(&Evidence { training, synthetic, holdout, target: None, constraints: &[], made: &[], seed: 1 })
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let (training, fresh) = (bank(600, 1), bank(600, 2));
    let report = judged(&training, &fresh, Some(&fresh));
    let page = report.to_html(&vec![("law".into(), "a follows from b.".into()), ("seed".into(), "7".into())]);
    for forbidden in ["<script", "http:", "https:", "src=", "@import", "url(", "<link", "<iframe", "onload"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
    assert!(page.contains("Rules found in the data") && page.contains("a follows from b."));
    for title in quality::METRICS.iter().map(|metric| metric.title) {
        assert!(page.contains(title), "{title}");
    }
}

#[test]
fn names_values_and_provenance_are_escaped() {
    let table = hostile(200);
    let report = judged(&table, &table, Some(&table));
    let page =
        report.to_html(&vec![("<i>".into(), "<script>alert(1)</script>".into()), ("law".into(), "\"><b>".into())]);
    for raw in ["<script", "<i>", "<b>\"col", "\"><b>", "</svg><b>", "onerror=\"", "<img"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;img") || page.contains("&#60;img"));
}

#[test]
fn values_of_few_rows_are_not_shown() {
    let (training, fresh) = (people(400, 1), people(400, 2));
    let report = judged(&training, &fresh, None);
    for text in [report.to_html(&Vec::new()), report.to_json(&Vec::new()).to_string()] {
        assert!(text.contains("Springfield"), "a common town is shown");
        assert!(!text.contains("Lone Hollow"), "a town of one row is not");
    }
}

#[test]
fn wide_tables_are_cut_and_say_so() {
    let (training, fresh) = (wide(120, 500, 1), wide(120, 500, 2));
    let report = judged(&training, &fresh, None);
    let page = report.to_html(&Vec::new());
    assert!(page.contains("The table has 500 columns"));
    assert!(page.len() < 700_000, "{} bytes", page.len());
}

/// Two numbers of two values each, `rare` rows in one of the four cells.
fn crossed(rare: usize) -> Table {
    let cells = [(0, 0, 100), (1, 1, 100), (1, 0, 40), (0, 1, rare)];
    let rows: Vec<(i64, i64)> = cells.into_iter().flat_map(|(a, b, rows)| std::iter::repeat_n((a, b), rows)).collect();
    let column = |name: &str, of: fn(&(i64, i64)) -> i64| {
        Column::ints(name, rows.iter().map(|row| Some(of(row))).collect(), Spelling::plain())
    };
    Table::new(vec![column("a", |row| row.0), column("b", |row| row.1)]).expect("equal lengths")
}

#[test]
fn cells_of_few_training_rows_are_not_drawn() {
    let drawn = |rare: usize| {
        let report = judged(&crossed(rare), &crossed(40), None);
        let page = report.to_html(&Vec::new());
        let (_, pair) = page.split_once("id=\"pair-1-2\"").expect("the pair has a chart");
        let (training, _) = pair.split_once("</figure>").expect("it is a figure");
        training.matches('z').count()
    };
    assert_eq!(drawn(5), drawn(4) + 1);
    assert_eq!(drawn(4), drawn(0));
}

#[test]
fn pages_of_all_kinds_are_whole() {
    for (name, [training, synthetic, holdout]) in tables_of_all_kinds() {
        let report = judged(&training, &synthetic, Some(&holdout));
        let page = report.to_html(&Vec::new());
        assert_eq!(page, report.to_html(&Vec::new()), "{name}: the same bytes each time");
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let once: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(once.len(), ids.len(), "{name}: an anchor twice");
        for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(once.contains(target), "{name}: {target} leads nowhere");
        }
        let mut level = 0;
        for heading in page.split("<h").skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10)) {
            assert!(heading <= level + 1, "{name}: a heading of level {heading} below one of level {level}");
            level = heading;
        }
        for chart in page.split("<svg ").skip(1).filter_map(|rest| rest.split("</svg>").next()) {
            let drawn = !chart.contains("aria-hidden=\"true\"><path class=\"track\"");
            let told = chart.contains("aria-label=")
                && (chart.contains("class=\"tick title\"") || chart.contains("role=\"group\""));
            assert!(!drawn || told, "{name}: a chart without words or axes");
            assert!(!chart.contains("NaN") && !chart.contains("inf"), "{name}: a place that is no number");
        }
    }
}

#[test]
fn the_surest_attack_is_told_with_its_interval() {
    let (training, unseen) = (bank(1_200, 1), bank(1_200, 2));
    let found = |synthetic: &Table| {
        let page = judged(&training, synthetic, Some(&unseen)).to_html(&Vec::new());
        let (_, attack) = page.split_once("where the attack is surest").expect("it is on the page");
        let (_, beside) = attack.split_once("class=\"beside\">").expect("it was measured");
        let low = beside.split(' ').next().and_then(|low| low.parse::<f64>().ok());
        low.expect("the lower end is a number")
    };
    let (of_fresh, of_copy) = (found(&bank(1_200, 3)), found(&training));
    assert!(of_fresh <= 1.5, "nothing to find in fresh rows: {of_fresh}");
    assert!(of_copy > 50.0, "a copy is found: {of_copy}");
}

//! The page: self-contained, escaped, and silent about what is rare.

mod tables;

use quality::{Evidence, Report, judge};
use table::Table;
use tables::{bank, hostile, people, wide};

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

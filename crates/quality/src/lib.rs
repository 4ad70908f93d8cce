//! The judge: [`Evidence`] comes in, a [`Report`] goes out as JSON or as one HTML page. It never knows who made the
//! data, never talks to the outside, and never depends on the models.
//!
//! A metric is one file and one line in [`METRICS`]; the JSON, the page and the tests are loops over that list. All
//! metrics read the same prepared evidence: encoded columns and one random sample of each table, drawn so that the
//! order of the rows makes no difference.
//!
//! Two figures sum a report up. Fidelity is the mean of column shapes, pair trends and discriminator, as far as they
//! are defined. Privacy is the least of the privacy metrics: a leak in one place is not made good in another.

mod agreement;
mod attribute_inference;
mod bins;
mod boost;
mod case;
mod column_shapes;
mod compat;
mod constraints;
mod contingency;
mod dependencies;
mod detail;
mod discriminator;
mod distance;
mod encode;
mod exact_copies;
mod gate;
mod grid;
mod laws;
mod membership_attack;
mod metric;
mod missing_patterns;
mod missing_values;
mod near_copies;
mod nearest_record;
mod page;
mod page_attacks;
mod page_axes;
mod page_columns;
mod page_joint;
mod page_joint_chart;
mod page_pairs;
mod page_sections;
mod pair_trends;
mod random;
mod rare_values;
mod report;
mod scale;
mod since;
mod split;
mod statistic;
mod svg;
mod three_way_trends;
mod utility;

pub use case::Case;
pub use compat::{Ask, Compat, Documented, Downstream, Family, MEASURES, Measure, Settings as CompatSettings, Task};
pub use gate::{Check, CheckState, ROWS_MIN, Thresholds, Verdict, gate};
pub use metric::{Aspect, Gauge, Metric, Outcome, Score};
pub use report::{Declared, Evidence, Provenance, Report, judge, judge_with};
pub use since::{Drift, Since};

/// Every metric, in the order of the report.
pub static METRICS: &[&Metric] = &[
    &column_shapes::METRIC,
    &pair_trends::METRIC,
    &three_way_trends::METRIC,
    &discriminator::METRIC,
    &missing_values::METRIC,
    &missing_patterns::METRIC,
    &dependencies::METRIC,
    &constraints::METRIC,
    &utility::METRIC,
    &nearest_record::METRIC,
    &near_copies::METRIC,
    &exact_copies::METRIC,
    &rare_values::METRIC,
    &membership_attack::METRIC,
    &attribute_inference::METRIC,
];

//! Model keys and their parameters: the body of a model config comes in, a checked recipe for the tabular engine or
//! every bad parameter goes out. Documented parameters of the models that the keys once stood for are taken by name;
//! those without a meaning here are answered by a note.

use serde_json::{Map, Value};
use table::Table;

use crate::config::constraint::constraints_of;
use crate::config::nearest::nearest;
use crate::filters::Strictness;
use crate::fit::{Settings, fit};
use crate::laws::broken::{Demand, demands};
use crate::model::{BadParam, Generator, MakeRecipe, ModelType, Note, Params, Progress, Recipe, Unfit};
use crate::rebalance::Shares;
use crate::sequence::fit_sequences;

const ABOUT: &str = "The tabular engine: likelihood trees drawn column by column, with the laws between columns kept.";
const SOURCE: &str =
    "Sequential tree synthesis (Reiter 2005), with multinomial likelihood splits, linear leaves and laws";

const fn tabular(name: &'static str, recipe: MakeRecipe) -> ModelType {
    ModelType { name, about: ABOUT, source: SOURCE, recipe }
}

/// Every model key, in the order of listings. All of them stand for the tabular engine.
pub static MODELS: &[&ModelType] = &[
    &tabular("synthetics", |params| recipe("synthetics", params)),
    &tabular("lstm", |params| recipe("synthetics", params)),
    &tabular("actgan", |params| recipe("actgan", params)),
    &tabular("tabular_gan", |params| recipe("actgan", params)),
    &tabular("ctgan", |params| recipe("actgan", params)),
    &tabular("amplify", |params| recipe("amplify", params)),
    &tabular("navigator_ft", |params| recipe("navigator_ft", params)),
    &tabular("tabular_ft", |params| recipe("navigator_ft", params)),
];

/// What a documented parameter means here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// It is obeyed, or it is somebody else's.
    Used,
    /// It steers the training of a neural network.
    Training,
    /// It steers how a network writes.
    Writing,
    /// Something that is always done, or found by itself.
    ByItself,
    /// Differential privacy: refused unless it is off.
    Differential,
}

/// Parameters per family, as section, names and meaning; section "" is the top, `*` stands for any name.
type Known = (&'static str, &'static str, Means);

const COMMON: &[Known] = &[
    ("", "data_source ref_data evaluate name constraints", Means::Used),
    ("params", "rows_per_value_min rows_per_leaf_min", Means::Used),
    ("params", "dp epsilon", Means::Differential),
    ("generate", "num_records rebalance", Means::Used),
    ("generate", "max_invalid num_records_multiplier max_tries", Means::ByItself),
    ("privacy_filters", "outliers similarity", Means::Used),
    ("privacy_filters", "max_iterations", Means::ByItself),
    ("privacy_params", "dp epsilon", Means::Differential),
    ("privacy_params", "delta per_sample_max_grad_norm", Means::Training),
];

const SYNTHETICS: &[Known] = &[
    (
        "params",
        "epochs batch_size predict_batch_size rnn_units dropout_rate learning_rate vocab_size reset_states overwrite early_stopping \
         early_stopping_patience early_stopping_min_delta validation_split field_delimiter field_cluster_size \
         average_record_length_threshold data_upsample_limit max_training_time_seconds dp_noise_multiplier dp_l2_norm_clip dp_microbatches",
        Means::Training,
    ),
    ("params", "gen_temp", Means::Writing),
    ("validators", "in_set_count pattern_count datetime_formats use_numeric_iqr", Means::ByItself),
    ("task", "type attrs", Means::ByItself),
    ("data_checks", "*", Means::ByItself),
    ("fallback", "*", Means::ByItself),
    ("debug", "*", Means::ByItself),
];

const ACTGAN: &[Known] = &[
    (
        "params",
        "epochs batch_size embedding_dim generator_dim discriminator_dim generator_lr discriminator_lr generator_decay discriminator_decay \
         discriminator_steps pac binary_encoder_cutoff binary_encoder_nan_handler log_frequency cbn_sample_size data_upsample_limit \
         conditional_vector_type conditional_select_mean_columns conditional_select_column_prob reconstruction_loss_coef force_conditioning \
         verbose cuda",
        Means::Training,
    ),
    ("params", "auto_transform_datetimes", Means::ByItself),
    ("validators", "in_set_count pattern_count datetime_formats use_numeric_iqr", Means::ByItself),
];

const AMPLIFY: &[Known] =
    &[("params", "num_records", Means::Used), ("params", "target_size_mb auto_transform_datetimes", Means::ByItself)];

const NAVIGATOR: &[Known] = &[
    ("", "group_training_examples_by order_training_examples_by", Means::Used),
    ("", "max_sequences_per_example", Means::Training),
    (
        "params",
        "num_input_records_to_sample rope_scaling_factor batch_size gradient_accumulation_steps weight_decay warmup_ratio lr_scheduler \
         learning_rate lora_r lora_alpha_over_r lora_target_modules use_unsloth validation_ratio validation_steps pretrained_model",
        Means::Training,
    ),
    ("", "pretrained_model", Means::Training),
    ("generate", "temperature repetition_penalty top_p", Means::Writing),
    ("generate", "stop_params use_structured_generation", Means::ByItself),
    ("data_config", "*", Means::ByItself),
];

/// Most records asked for in a config.
const RECORDS_MAX: u64 = 1_000_000_000_000;

fn recipe(family: &'static str, params: &Params) -> Result<Box<dyn Recipe>, Vec<BadParam>> {
    let own = match family {
        "synthetics" => SYNTHETICS,
        "actgan" => ACTGAN,
        "amplify" => AMPLIFY,
        _ => NAVIGATOR,
    };
    let known: Vec<Known> = COMMON.iter().chain(own).copied().collect();
    let mut check = Check {
        known,
        notes: Vec::new(),
        bad: Vec::new(),
        num_records: None,
        shares: None,
        settings: Settings::default(),
    };
    check.section("", "", &params.body);
    if let (true, Some(size)) =
        (family == "amplify" && check.num_records.is_some(), at(&params.body, "params", "target_size_mb"))
    {
        let message = format!("`target_size_mb` is {size} where `num_records` is given too");
        check.fault("params.target_size_mb", message, Some("Keep one of the two.".into()));
    }
    if check.settings.order_by.is_some() && check.settings.group_by.is_empty() {
        let hint = Some("Name the columns of a group in `group_training_examples_by`.".into());
        let message = "`order_training_examples_by` is given where `group_training_examples_by` is not".into();
        check.fault("order_training_examples_by", message, hint);
    }
    if check.bad.is_empty() {
        Ok(Box::new(Tabular {
            settings: check.settings,
            notes: check.notes,
            num_records: check.num_records,
            shares: check.shares,
        }))
    } else {
        Err(check.bad)
    }
}

fn at<'a>(body: &'a Map<String, Value>, section: &str, name: &str) -> Option<&'a Value> {
    body.get(section)?.as_object()?.get(name).filter(|value| !value.is_null())
}

struct Check {
    known: Vec<Known>,
    notes: Vec<Note>,
    bad: Vec<BadParam>,
    num_records: Option<u64>,
    shares: Option<Shares>,
    settings: Settings,
}

impl Check {
    /// Checks one mapping; `path` is how it was written, `section` where it is looked up.
    fn section(&mut self, path: &str, section: &str, body: &Map<String, Value>) {
        for (name, value) in body {
            let full = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let is_section = section.is_empty() && (name == "train" || self.known.iter().any(|known| known.0 == name));
            match self.means(section, name) {
                Some(means) => self.take(&full, name, value, means),
                None if is_section => match value {
                    Value::Object(inner) => self.section(&full, if name == "train" { "" } else { name }, inner),
                    Value::Null => {}
                    other => {
                        self.fault(&full, format!("`{name}` is {other} where a mapping of parameters is allowed"), None)
                    }
                },
                None => self.unknown(&full, section, name),
            }
        }
    }

    fn means(&self, section: &str, name: &str) -> Option<Means> {
        let here = |known: &&Known| known.0 == section && known.1.split_whitespace().any(|n| n == name || n == "*");
        self.known.iter().find(here).map(|known| known.2)
    }

    fn take(&mut self, path: &str, name: &str, value: &Value, means: Means) {
        let instead = match means {
            Means::Used => return self.obey(path, name, value),
            Means::Differential => return self.refuse_differential(path, name, value),
            _ if value.is_null() => return,
            Means::Training => {
                "has no meaning for the tabular engine, which trains no network: how far its trees grow follows from the data"
            }
            Means::Writing => {
                "has no meaning for the tabular engine, which draws rows as likely as the training table shows them"
            }
            Means::ByItself => "needs no setting: the tabular engine sees to it by itself",
        };
        self.notes.push(Note { kind: "parameter", text: format!("`{path}` {instead}.") });
    }

    fn obey(&mut self, path: &str, name: &str, value: &Value) {
        match name {
            "group_training_examples_by" => return self.group_by(path, value),
            "order_training_examples_by" => return self.order_by(path, value),
            "outliers" | "similarity" => return self.filter(path, name, value),
            "rebalance" if !value.is_null() => {
                match Shares::of(value) {
                    Ok(shares) => self.shares = Some(shares),
                    Err(message) => self.fault(path, message, None),
                }
                return;
            }
            _ => {}
        }
        if name == "constraints" {
            self.settings.constraints = constraints_of(value, path, &mut self.bad);
            return;
        }
        if value.is_null() || !matches!(name, "num_records" | "rows_per_value_min" | "rows_per_leaf_min") {
            return;
        }
        let whole = value
            .as_u64()
            .or_else(|| value.as_f64().filter(|v| *v >= 0.0 && v.fract() == 0.0 && *v < 1e15).map(|v| v as u64));
        let (low, high) = if name == "num_records" { (1, RECORDS_MAX) } else { (1, 10_000) };
        match whole {
            Some(number) if number >= low && number <= high && name == "num_records" => self.num_records = Some(number),
            Some(number) if number >= low && number <= high && name == "rows_per_leaf_min" => {
                self.settings.leaf = Some(number as usize);
            }
            Some(number) if number >= low && number <= high => self.settings.floor = number as usize,
            _ => self.fault(
                path,
                format!("`{name}` is {value} where a whole number from {low} to {high} is allowed"),
                None,
            ),
        }
    }

    fn filter(&mut self, path: &str, name: &str, value: &Value) {
        let strictness = match value.as_str() {
            None if value.is_null() => Strictness::Off,
            Some("auto") => Strictness::Auto,
            Some("medium") => Strictness::Medium,
            Some("high") => Strictness::High,
            _ => {
                let message = format!("`{name}` is {value} where null, medium, high and auto are allowed");
                return self.fault(path, message, None);
            }
        };
        let own = if name == "outliers" { &mut self.settings.outliers } else { &mut self.settings.similarity };
        *own = strictness;
    }

    fn group_by(&mut self, path: &str, value: &Value) {
        let names: Option<Vec<String>> = match value {
            Value::Null => return,
            Value::String(name) => Some(vec![name.clone()]),
            Value::Array(names) => names.iter().map(|name| name.as_str().map(String::from)).collect(),
            _ => None,
        };
        match names.filter(|names| !names.is_empty()) {
            Some(names) => self.settings.group_by = names,
            None => {
                let message = format!("it is {value} where the name of a column or a list of names is allowed");
                self.fault(path, message, None);
            }
        }
    }

    fn order_by(&mut self, path: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(name) => self.settings.order_by = Some(name.clone()),
            _ => self.fault(path, format!("it is {value} where the name of a column is allowed"), None),
        }
    }

    fn refuse_differential(&mut self, path: &str, name: &str, value: &Value) {
        if value.is_null() || *value == Value::Bool(false) {
            return;
        }
        let message = match name {
            "dp" => {
                format!("`dp` is {value} where the tabular engine has no differential privacy and allows false only")
            }
            _ => {
                format!("`{name}` is {value} where the tabular engine has no differential privacy and allows null only")
            }
        };
        let hint = "Leave it out: values that few rows hold are never shown, but no privacy budget is promised.";
        self.fault(path, message, Some(hint.into()));
    }

    fn unknown(&mut self, path: &str, section: &str, name: &str) {
        let here = self.known.iter().filter(|known| known.0 == section).flat_map(|known| known.1.split_whitespace());
        let sections = self.known.iter().map(|known| known.0).filter(|known| section.is_empty() && !known.is_empty());
        let names = || here.clone().chain(sections.clone()).filter(|n| *n != "*");
        let near = nearest(name, names()).map(|near| format!("Did you mean `{near}`?"));
        let place = if section.is_empty() { "a model config" } else { section };
        let elsewhere = self
            .known
            .iter()
            .find(|known| known.1.split_whitespace().any(|n| n == name))
            .map(|known| format!("Write it under `{}`.", known.0));
        self.fault(
            path,
            format!("`{name}` is not a parameter of `{place}`").replace("`a model config`", "a model config"),
            elsewhere.or(near),
        );
    }

    fn fault(&mut self, path: &str, message: String, hint: Option<String>) {
        self.bad.push(BadParam { path: path.to_string(), message, hint });
    }
}

/// The recipe of every key.
struct Tabular {
    settings: Settings,
    notes: Vec<Note>,
    num_records: Option<u64>,
    shares: Option<Shares>,
}

impl Recipe for Tabular {
    fn fit(
        &self,
        real: &Table,
        held_out: Option<&Table>,
        seed: u64,
        progress: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<Box<dyn Generator>, Unfit> {
        if self.settings.group_by.is_empty() {
            return Ok(Box::new(fit(real, held_out, &self.settings, self.notes.clone(), seed, progress)?));
        }
        Ok(Box::new(fit_sequences(real, &self.settings, self.notes.clone(), seed, progress)?))
    }

    fn num_records(&self) -> Option<u64> {
        self.num_records
    }

    fn shares(&self) -> Option<&Shares> {
        self.shares.as_ref()
    }

    fn demands(&self, real: &[&Table], drawn: &Table) -> Vec<Demand> {
        demands(&self.settings.constraints, real, drawn)
    }

    fn group_by(&self) -> &[String] {
        &self.settings.group_by
    }
}

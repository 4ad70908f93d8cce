//! Stand-in until templates land.
use crate::model::{ModelType, Params};
use crate::params::MODELS;
/// A template.
pub struct Template {
    /// Model.
    pub model: &'static ModelType,
    /// Params.
    pub params: Params,
    /// Said.
    pub said: String,
}
/// A problem.
pub struct TemplateProblem {
    /// Message.
    pub message: String,
    /// Hint.
    pub hint: Option<String>,
}
/// By name.
pub fn template(name: &str) -> Result<Template, TemplateProblem> {
    if name.ends_with("default") { Ok(Template { model: MODELS[0], params: Params::default(), said: format!("`{name}` is the tabular engine") }) }
    else { Err(TemplateProblem { message: format!("no model template `{name}`"), hint: None }) }
}
/// By key.
pub fn model_type(key: &str) -> Option<&'static ModelType> { MODELS.iter().find(|m| m.name == key).copied() }

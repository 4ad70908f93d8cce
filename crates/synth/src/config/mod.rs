//! What a model config says: parameters, templates and constraints as users write them come in; settings, or all that is wrong,
//! go out.

pub(crate) mod constraint;
pub(crate) mod nearest;
pub(crate) mod params;
pub(crate) mod templates;

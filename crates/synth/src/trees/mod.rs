//! One tree per column: classes and codes come in; questions, and leaves to draw from, go out.

pub(crate) mod drawn;
pub(crate) mod leaf;
pub(crate) mod levels;
pub(crate) mod line;
pub(crate) mod screen;
pub(crate) mod shape;
pub(crate) mod tree;

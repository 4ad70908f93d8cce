//! Model files: a fitted model with all it takes to write tables like its source's. In: a model and the layout of its
//! source, or bytes that anybody may have written. Out: bytes with a version and a checksum, or a model that samples what the
//! one that was saved does. There is no code inside, and the generator's own form is versioned on its own.

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use synth::{Ask, Generator, Unloadable};
use table::{Layout, NoLayout};
use workflow::{Code, Failure};

/// What every model file begins with.
const MAGIC: &[u8; 8] = b"hanselMF";
/// The version that is written, and the newest that is read. Every older one is read too.
///
/// Behind the magic of any version stand the version (4 bytes, the lowest first) and the SHA-256 of all that follows. In
/// version 1 that is three parts, each behind its length (8 bytes): what is known of the model as a JSON object, the layout,
/// the generator. Later versions may add keys to the object, which a reader that does not know them passes over.
const VERSION: u32 = 1;
const HEAD_BYTES: usize = MAGIC.len() + 4 + 32;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name of what it was trained on: a file's, or an object's key.
    pub source: String,
    /// Rows that are sampled where nobody asks for another number.
    pub rows: u64,
    /// The seed of the training; with it the same rows are sampled as right behind the training.
    pub seed: u64,
    /// The name of the model's type or template.
    pub model: String,
}

/// A model that was saved.
pub struct ModelFile {
    /// Where it comes from.
    pub origin: Origin,
    /// How its source was written.
    pub layout: Layout,
    /// The fitted model.
    pub generator: Box<dyn Generator>,
}

impl Origin {
    /// A model of this origin as bytes, which [`ModelFile::from_bytes`] reads back.
    pub fn save(&self, layout: &Layout, generator: &dyn Generator) -> Vec<u8> {
        let about = json!({
            "source": self.source, "rows": self.rows, "seed": self.seed, "model": self.model,
            "hansel": env!("CARGO_PKG_VERSION"),
        });
        let mut body = Vec::new();
        for part in [about.to_string().into_bytes(), layout.to_bytes(), generator.save()] {
            body.extend_from_slice(&(part.len() as u64).to_le_bytes());
            body.extend_from_slice(&part);
        }
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.append(&mut body);
        bytes
    }
}

impl ModelFile {
    /// The model that [`Origin::save`] wrote, in this version or an earlier one; `name` is the file's, for the failure.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<ModelFile, Failure> {
        read(bytes).map_err(|unread| unread.failure(name))
    }
}

/// Why bytes are no model.
enum Unread {
    Foreign,
    Cut,
    Changed,
    /// Of a later container or layout.
    Newer(String),
    /// Of another generator; who saved it, and what is so.
    Other(String, String),
}

impl Unread {
    fn failure(self, name: &str) -> Failure {
        let mine = env!("CARGO_PKG_VERSION");
        let again = "Copy the file once more, or save the model again with `hansel synthesize --save`.";
        let (message, hint) = match self {
            Unread::Foreign => (
                "is not a model file".to_string(),
                "Name a file that `hansel synthesize --save` wrote, or a model that a run kept.".to_string(),
            ),
            Unread::Cut => ("is cut short".to_string(), again.to_string()),
            Unread::Changed => ("was changed since it was saved".to_string(), again.to_string()),
            Unread::Newer(what) => (
                format!("is newer than this hansel ({mine}): {what}"),
                "Use the version of hansel that saved it, or a later one.".to_string(),
            ),
            Unread::Other(saved, what) => (
                format!("was saved by hansel {saved} and is not read by hansel {mine}: {what}"),
                "Use the version of hansel that saved it, or train and save the model again.".to_string(),
            ),
        };
        Failure::new(Code::ModelUnreadable, format!("the model `{name}` {message}")).hint(hint)
    }
}

fn read(bytes: &[u8]) -> Result<ModelFile, Unread> {
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) && !bytes.is_empty() {
        return Err(Unread::Cut);
    }
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err(Unread::Foreign) };
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(Unread::Cut)?;
    match u32::from_le_bytes(*version) {
        0 => return Err(Unread::Changed),
        found if found > VERSION => {
            return Err(Unread::Newer(format!("the file is of version {found} where at most {VERSION} is read")));
        }
        _ => {}
    }
    let (sum, body) = rest.split_first_chunk::<32>().ok_or(Unread::Cut)?;
    let [about, layout, generator] = parts(body)?;
    if Sha256::digest(body)[..] != sum[..] {
        return Err(Unread::Changed);
    }
    let about: Json = serde_json::from_slice(about).map_err(|_| Unread::Changed)?;
    let text = |key: &str| about[key].as_str().map(str::to_string).ok_or(Unread::Changed);
    let number = |key: &str| about[key].as_u64().ok_or(Unread::Changed);
    let origin =
        Origin { source: text("source")?, rows: number("rows")?, seed: number("seed")?, model: text("model")? };
    let file = ModelFile {
        origin,
        layout: Layout::from_bytes(layout).map_err(|problem| match problem {
            NoLayout::Newer { .. } => Unread::Newer(problem.to_string()),
            NoLayout::Damaged => Unread::Changed,
        })?,
        generator: synth::load(generator).map_err(|problem| match problem {
            Unloadable::Version { .. } => Unread::Other(text("hansel").unwrap_or_default(), problem.to_string()),
            Unloadable::NotAModel | Unloadable::Damaged => Unread::Changed,
        })?,
    };
    // Parts of two models are none.
    let none = file.generator.sample(&Ask { first_row: 0, rows: 0, rows_total: 0, seed: file.origin.seed });
    match file.layout.writer(std::io::sink()).and_then(|mut writer| writer.write(&none)) {
        Ok(()) => Ok(file),
        Err(_) => Err(Unread::Changed),
    }
}

/// The three parts of a body.
fn parts(body: &[u8]) -> Result<[&[u8]; 3], Unread> {
    let mut rest = body;
    let mut parts = [&[][..]; 3];
    for part in &mut parts {
        let (length, behind) = rest.split_first_chunk::<8>().ok_or(Unread::Cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Unread::Cut)?;
        (*part, rest) = behind.split_at_checked(length).ok_or(Unread::Cut)?;
    }
    if rest.is_empty() { Ok(parts) } else { Err(Unread::Changed) }
}

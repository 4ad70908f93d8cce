//! What a job leaves: files made aside and moved to their place together. In: texts, bytes, drawn rows. Out: gzip files, and
//! the archive of a model, which is read back from here too.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use workflow::{Code, Failure};

use super::{HANDLER_ARTIFACTS, MODEL_ARTIFACTS};
use crate::synthesis::unwritable;

/// Fixed, so that the same content always gives the same bytes.
const GZIP_LEVEL: u32 = 4;
/// The folder of unfinished files, below the job's.
const ASIDE: &str = ".unfinished";
/// Files of an archive are padded to whole blocks.
const BLOCK: usize = 512;

/// Packs what is written to it, without a time in it.
pub(crate) fn packer<W: Write>(out: W) -> GzEncoder<W> {
    GzBuilder::new().mtime(0).write(out, Compression::new(GZIP_LEVEL))
}

/// Files of a job that are not yet in their place. What was not put there is gone when this is dropped.
pub(crate) struct Leaving {
    folder: PathBuf,
    /// Where they are made.
    pub(crate) aside: PathBuf,
    names: Vec<&'static str>,
}

impl Leaving {
    /// Begins in the job's folder, which is made if need be. What an earlier try left unfinished is removed.
    pub(crate) fn in_folder(folder: &Path) -> Result<Leaving, Failure> {
        let aside = folder.join(ASIDE);
        let fresh = || -> io::Result<()> {
            if aside.exists() {
                fs::remove_dir_all(&aside)?;
            }
            fs::create_dir_all(&aside)
        };
        fresh().map_err(|error| unwritable(&aside, error))?;
        Ok(Leaving { folder: folder.into(), aside, names: Vec::new() })
    }

    /// Where the file of an artifact of this type is to be written.
    pub(crate) fn place(&mut self, kind: &str) -> PathBuf {
        let known = MODEL_ARTIFACTS.iter().chain(HANDLER_ARTIFACTS).find(|known| known.0 == kind);
        let (_, name) = known.expect("only artifacts of the lists are left");
        self.names.push(name);
        self.aside.join(name)
    }

    /// Leaves bytes, packed.
    pub(crate) fn pack(&mut self, kind: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.place(kind);
        let write = || -> io::Result<()> {
            let mut out = packer(fs::File::create(&path)?);
            out.write_all(bytes)?;
            out.finish().map(drop)
        };
        write().map_err(|error| unwritable(&path, error))
    }

    /// Puts all files in their place.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        for name in &self.names {
            let path = self.folder.join(name);
            fs::rename(self.aside.join(name), &path).map_err(|error| unwritable(&path, error))?;
        }
        Ok(())
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // The job's outcome does not depend on it; a later try removes what is left.
        let _ = fs::remove_dir_all(&self.aside);
    }
}

/// An archive (ustar) of files, by name; the same files give the same bytes.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut head = [0u8; BLOCK];
        let mut put = |at: usize, text: &[u8]| head[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", bytes.len()).as_bytes());
        put(136, b"00000000000\0");
        // The sum is taken with spaces in its own place.
        put(148, b"        ");
        put(156, b"0");
        put(257, b"ustar\x0000");
        let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// The bytes of one file of the packed archive at `path`.
pub(crate) fn unpacked(path: &Path, wanted: &str) -> Result<Vec<u8>, Failure> {
    let unread = |message: &str| Failure::new(Code::ModelUnreadable, format!("the model's archive {message}"));
    let mut all = Vec::new();
    fs::File::open(path)
        .and_then(|file| MultiGzDecoder::new(file).read_to_end(&mut all))
        .map_err(|error| unread("cannot be read").cause(error))?;
    let mut rest = all.as_slice();
    while let Some((head, behind)) = rest.split_first_chunk::<BLOCK>() {
        let field = |from: usize, upto: usize| {
            let text = head[from..upto].split(|&byte| byte == 0).next().unwrap_or_default();
            std::str::from_utf8(text).unwrap_or_default().trim()
        };
        let size = usize::from_str_radix(field(124, 136), 8).ok().filter(|&size| size <= behind.len());
        let Some(size) = size else { break };
        if field(0, 100) == wanted {
            return Ok(behind[..size].to_vec());
        }
        rest = behind.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Err(unread(&format!("has no file `{wanted}`")))
}

//! Unpacks and packs whole files: gzip, zstd or nothing. In: a file, or bytes to write. Out: the same bytes unpacked or
//! packed. Never looks inside.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use crate::flaw::Unreadable;

/// Fixed, so that the same table always gives the same bytes. A step more costs half as much time again for a
/// twentieth of the size.
const GZIP_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// The packing of a file, told by its first bytes.
    fn of(magic: &[u8]) -> Packing {
        match magic {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::None,
        }
    }

    /// The packing that a file name asks for by its extension.
    pub(crate) fn named(name: &str) -> Packing {
        let name = name.to_ascii_lowercase();
        match () {
            () if name.ends_with(".gz") => Packing::Gzip,
            () if name.ends_with(".zst") => Packing::Zstd,
            () => Packing::None,
        }
    }

    /// Tells a damaged packing from a file that could not be read.
    pub(crate) fn blame(self, error: io::Error) -> Unreadable {
        let damaged = matches!(
            error.kind(),
            io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::Other
        );
        match self {
            Packing::Gzip if damaged => Unreadable::Damaged { packing: "gzip", cause: error },
            Packing::Zstd if damaged => Unreadable::Damaged { packing: "zstd", cause: error },
            _ => Unreadable::Io(error),
        }
    }
}

/// The unpacked bytes of a file from its beginning.
pub(crate) fn unpack(file: &File) -> Result<(Packing, Box<dyn Read + '_>), Unreadable> {
    let mut file = file;
    let mut magic = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(Unreadable::Io)?;
    file.take(4).read_to_end(&mut magic).map_err(Unreadable::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(Unreadable::Io)?;
    let packing = Packing::of(&magic);
    let source: Box<dyn Read + '_> = match packing {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Zstd => Box::new(zstd::Decoder::new(file).map_err(|error| packing.blame(error))?),
    };
    Ok((packing, source))
}

/// Packs what is written to it.
pub(crate) enum Packer<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    pub(crate) fn new(packing: Packing, out: W) -> io::Result<Packer<W>> {
        Ok(match packing {
            Packing::None => Packer::None(out),
            Packing::Gzip => Packer::Gzip(GzBuilder::new().mtime(0).write(out, Compression::new(GZIP_LEVEL))),
            Packing::Zstd => Packer::Zstd(zstd::Encoder::new(out, ZSTD_LEVEL)?),
        })
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Packer::None(out) => out.write_all(bytes),
            Packer::Gzip(out) => out.write_all(bytes),
            Packer::Zstd(out) => out.write_all(bytes),
        }
    }

    /// Ends the packing and gives back what it wrote to.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut out = match self {
            Packer::None(out) => out,
            Packer::Gzip(out) => out.finish()?,
            Packer::Zstd(out) => out.finish()?,
        };
        out.flush()?;
        Ok(out)
    }
}

//! Where records begin and end: plain or one gzip member each, with their places in the file.
//!
//! A record that breaks the framing is reported with its offset, and reading goes on at the next record that can be
//! recognised: the next gzip member that begins with `WARC/`, or the next line that does. After a break, a record
//! that is quoted inside a payload cannot be told from one of the file; that is why every break is reported.

use super::header::{Header, HeaderError};
use super::source::Source;
use flate2::bufread::GzDecoder;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek};

/// Breaks in one file after which it is given up.
const MAX_BREAKS: u32 = 1000;
/// Decompressed bytes held at a time.
const MEMBER_BUFFER_BYTES: usize = 32 << 10;
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Place of a record in its file, in compressed bytes where the file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset of the record's first byte, or of its gzip member's.
    pub(super) offset: u64,
    /// Bytes up to the next record. `None` when the record shares its gzip member with others and cannot be addressed.
    pub(super) length: Option<u64>,
}

/// Why the framing of a file broke.
#[derive(Debug, thiserror::Error)]
pub(super) enum Break {
    #[error("the input ends inside the record")]
    CutOff,
    #[error("an ARC file: only WARC is read")]
    Arc,
    #[error("compressed with Zstandard: only plain and gzip files are read")]
    Zstd,
    #[error("a gzip member with nothing in it")]
    EmptyMember,
    #[error("{0}")]
    Malformed(String),
}

/// What was found at one place of a file.
pub(super) enum Step<T> {
    /// A whole record.
    Record {
        place: Place,
        /// The record is not followed by exactly two line ends.
        odd_boundary: bool,
        value: T,
    },
    /// The framing broke here.
    Broken {
        offset: u64,
        why: Break,
        /// Where reading goes on; `None` when the rest of the file stays unread.
        resumed: Option<u64>,
    },
}

/// The records of one file, in order.
pub(super) struct Records<R> {
    stream: Stream<R>,
    breaks: u32,
}

enum Stream<R> {
    Plain(Source<R>),
    Member { start: u64, records: u64, reader: Box<BufReader<GzDecoder<Source<R>>>> },
    Ended(u64),
}

/// Why a record could not be read.
enum Fault {
    Header(HeaderError),
    /// The reader ended this many bytes before the block did.
    Short(u64),
    /// Something that is neither a boundary nor a record follows the block.
    NoBoundary,
    Io(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read + Seek> Records<R> {
    /// Starts at the record or gzip member at `offset` of `input`.
    pub(super) fn starting_at(input: R, offset: u64) -> Result<Self> {
        let mut source = Source::new(input)?;
        source.seek_to(offset)?;
        Ok(Self { stream: Stream::Plain(source), breaks: 0 })
    }

    /// Bytes of the file consumed so far.
    pub(super) fn position(&self) -> u64 {
        match &self.stream {
            Stream::Plain(source) => source.position(),
            Stream::Member { reader, .. } => reader.get_ref().get_ref().position(),
            Stream::Ended(position) => *position,
        }
    }

    /// Reads the next record, giving its header and its block to `handle`, which need not read all of the block.
    /// What `handle` returns counts only if the rest of the record is sound. `None` at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read. Damage inside the file is no error but a [`Step::Broken`].
    pub(super) fn next<T>(
        &mut self,
        handle: impl FnOnce(&Header, &mut dyn BufRead) -> Result<T>,
    ) -> Result<Option<Step<T>>> {
        loop {
            match std::mem::replace(&mut self.stream, Stream::Ended(0)) {
                Stream::Ended(position) => {
                    self.stream = Stream::Ended(position);
                    return Ok(None);
                }
                Stream::Plain(mut source) => {
                    skip_line_ends(&mut source)?;
                    let start = source.position();
                    let (bytes, length) = source.peek(4)?;
                    let bytes = bytes.get(..length).unwrap_or_default();
                    if bytes.is_empty() {
                        self.stream = Stream::Ended(start);
                    } else if GZIP_MAGIC.starts_with(bytes) && bytes.len() < GZIP_MAGIC.len() {
                        return Ok(Some(self.stop(start, Break::CutOff)));
                    } else if bytes.starts_with(&GZIP_MAGIC) {
                        let reader = Box::new(BufReader::with_capacity(MEMBER_BUFFER_BYTES, GzDecoder::new(source)));
                        self.stream = Stream::Member { start, records: 0, reader };
                    } else if bytes == ZSTD_MAGIC {
                        return Ok(Some(self.stop(start, Break::Zstd)));
                    } else {
                        return self.plain(source, start, handle).map(Some);
                    }
                }
                Stream::Member { start, records, mut reader } => match reader.fill_buf() {
                    Ok([]) if records == 0 => {
                        let source = reader.into_inner().into_inner();
                        let resumed = Some(source.position());
                        self.stream = Stream::Plain(source);
                        return Ok(Some(Step::Broken { offset: start, why: Break::EmptyMember, resumed }));
                    }
                    Ok([]) => self.stream = Stream::Plain(reader.into_inner().into_inner()),
                    Ok(_) => return self.member(*reader, start, records, handle).map(Some),
                    Err(error) => return self.member_fault(*reader, start, Fault::Io(error)).map(Some),
                },
            }
        }
    }

    fn plain<T>(
        &mut self,
        mut source: Source<R>,
        offset: u64,
        handle: impl FnOnce(&Header, &mut dyn BufRead) -> Result<T>,
    ) -> Result<Step<T>> {
        match record(&mut source, true, handle) {
            Ok((value, odd_boundary)) => {
                let place = Place { offset, length: Some(source.position() - offset) };
                self.stream = Stream::Plain(source);
                Ok(Step::Record { place, odd_boundary, value })
            }
            Err(Fault::Io(error)) => Err(error),
            Err(Fault::Short(_) | Fault::Header(HeaderError::CutOff)) => Ok(self.stop(offset, Break::CutOff)),
            Err(Fault::NoBoundary) => {
                let from = source.position();
                let why = "the block is not followed by a record boundary, so its Content-Length is wrong";
                self.resume(source, offset, from, Break::Malformed(why.to_owned()), false)
            }
            Err(Fault::Header(HeaderError::Io(error))) => Err(error),
            Err(Fault::Header(error)) => {
                source.seek_to(offset)?;
                let (bytes, length) = source.peek(11)?;
                if bytes.get(..length) == Some(b"filedesc://") {
                    return Ok(self.stop(offset, Break::Arc));
                }
                self.resume(source, offset, offset + 1, Break::Malformed(error.to_string()), false)
            }
        }
    }

    fn member<T>(
        &mut self,
        mut reader: BufReader<GzDecoder<Source<R>>>,
        start: u64,
        records: u64,
        handle: impl FnOnce(&Header, &mut dyn BufRead) -> Result<T>,
    ) -> Result<Step<T>> {
        if reader.buffer().starts_with(b"filedesc://") {
            return Ok(self.stop(start, Break::Arc));
        }
        let result =
            record(&mut reader, false, handle).and_then(|(value, odd)| Ok((value, odd, reader.fill_buf()?.is_empty())));
        match result {
            Ok((value, odd_boundary, last)) => {
                let place = if last && records == 0 {
                    let source = reader.into_inner().into_inner();
                    let length = source.position() - start;
                    self.stream = Stream::Plain(source);
                    Place { offset: start, length: Some(length) }
                } else {
                    self.stream = Stream::Member { start, records: records + 1, reader: Box::new(reader) };
                    Place { offset: start, length: None }
                };
                Ok(Step::Record { place, odd_boundary, value })
            }
            Err(fault) => self.member_fault(reader, start, fault),
        }
    }

    fn member_fault<T>(
        &mut self,
        reader: BufReader<GzDecoder<Source<R>>>,
        start: u64,
        fault: Fault,
    ) -> Result<Step<T>> {
        let source = reader.into_inner().into_inner();
        let why = match fault {
            Fault::Io(error) | Fault::Header(HeaderError::Io(error)) => {
                // The operating system's errors are the file's; all others are the decompressor's.
                if error.raw_os_error().is_some() {
                    return Err(error);
                }
                if error.kind() == ErrorKind::UnexpectedEof {
                    return Ok(self.stop(start, Break::CutOff));
                }
                format!("the gzip member is damaged: {error}")
            }
            Fault::Short(missing) => format!("the gzip member ends {missing} bytes before the record does"),
            Fault::Header(HeaderError::CutOff) => "the gzip member ends inside the record header".to_owned(),
            Fault::Header(error) => error.to_string(),
            Fault::NoBoundary => {
                "the block is not followed by a record boundary, so its Content-Length is wrong".to_owned()
            }
        };
        self.resume(source, start, start + 1, Break::Malformed(why), true)
    }

    fn stop<T>(&mut self, offset: u64, why: Break) -> Step<T> {
        self.stream = Stream::Ended(offset);
        Step::Broken { offset, why, resumed: None }
    }

    /// Goes on at the first record that can be recognised at or after `from`.
    fn resume<T>(&mut self, mut source: Source<R>, offset: u64, from: u64, why: Break, gzip: bool) -> Result<Step<T>> {
        self.breaks += 1;
        let found = if self.breaks > MAX_BREAKS { None } else { find_record(&mut source, from, gzip)? };
        let Some(resumed) = found else { return Ok(self.stop(offset, why)) };
        self.stream = Stream::Plain(source);
        Ok(Step::Broken { offset, why, resumed: Some(resumed) })
    }
}

/// Reads one record and the line ends after it. Also says whether these were not exactly two.
fn record<T>(
    reader: &mut impl BufRead,
    gzip_may_follow: bool,
    handle: impl FnOnce(&Header, &mut dyn BufRead) -> Result<T>,
) -> std::result::Result<(T, bool), Fault> {
    let header = Header::read(reader).map_err(Fault::Header)?;
    let mut block = (&mut *reader).take(header.content_length);
    let value = handle(&header, &mut block);
    // A reader that ends early is the record's fault, whatever `handle` made of it.
    if value.is_ok() {
        std::io::copy(&mut block, &mut std::io::sink())?;
    }
    let missing = block.limit();
    let value = value?;
    if missing > 0 {
        return Err(Fault::Short(missing));
    }
    let (boundary, length) = skip_line_ends(reader)?;
    let next = reader.fill_buf()?;
    let compared = next.len().min(5);
    let follows =
        next.get(..compared) == b"WARC/".get(..compared) || gzip_may_follow && next.first() == GZIP_MAGIC.first();
    // After two line ends whatever follows is not this record's; after fewer it may be the rest of its block.
    if boundary == *b"\r\n\r\n" || follows {
        Ok((value, length != 4 || boundary != *b"\r\n\r\n"))
    } else {
        Err(Fault::NoBoundary)
    }
}

/// Consumes CR and LF bytes; gives the first four of them and how many there were.
fn skip_line_ends(reader: &mut impl BufRead) -> Result<([u8; 4], u64)> {
    let mut seen = [0; 4];
    let mut count: usize = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let length = buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        for byte in &buffer[..length] {
            if let Some(slot) = seen.get_mut(count) {
                *slot = *byte;
            }
            count += 1;
        }
        let whole = length == buffer.len();
        reader.consume(length);
        if length == 0 || !whole {
            return Ok((seen, count as u64));
        }
    }
}

/// Leaves `source` at the first place from `from` on that looks like a record.
fn find_record<R: Read + Seek>(source: &mut Source<R>, from: u64, gzip: bool) -> Result<Option<u64>> {
    source.seek_to(from)?;
    let wanted = if gzip { GZIP_MAGIC[0] } else { b'W' };
    let mut before = 0;
    loop {
        let buffer = source.fill_buf()?;
        let Some(last) = buffer.last().copied() else { return Ok(None) };
        let Some(skipped) = buffer.iter().position(|byte| *byte == wanted) else {
            let length = buffer.len();
            source.consume(length);
            before = last;
            continue;
        };
        if let Some(byte) = skipped.checked_sub(1).and_then(|index| buffer.get(index)) {
            before = *byte;
        }
        source.consume(skipped);
        let place = source.position();
        let is_record = if gzip { is_record_member(source)? } else { before == b'\n' && is_record_line(source)? };
        source.seek_to(place)?;
        if is_record {
            return Ok(Some(place));
        }
        source.consume_one()?;
        before = wanted;
    }
}

fn is_record_line<R: Read + Seek>(source: &mut Source<R>) -> Result<bool> {
    let (bytes, length) = source.peek(8)?;
    Ok(matches!(bytes.get(..length), Some(b"WARC/1.0" | b"WARC/1.1")))
}

fn is_record_member<R: Read + Seek>(source: &mut Source<R>) -> Result<bool> {
    let (bytes, length) = source.peek(4)?;
    // The three top bits of the flags are reserved and zero.
    let plausible = length == 4 && bytes.starts_with(&GZIP_MAGIC) && bytes[3] & 0xe0 == 0;
    if !plausible {
        return Ok(false);
    }
    let mut start = [0; 5];
    match GzDecoder::new(&mut *source).read_exact(&mut start) {
        Ok(()) => Ok(start == *b"WARC/"),
        Err(error) if error.raw_os_error().is_some() => Err(error),
        Err(_) => Ok(false),
    }
}

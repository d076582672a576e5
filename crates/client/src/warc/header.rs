//! The header of a WARC record: a version line and named fields.

use std::io::{BufRead, Read};

/// Bytes of a record's header, at most.
pub(super) const MAX_HEADER_BYTES: usize = 64 << 10;
/// Named fields of a record, at most.
const MAX_FIELDS: usize = 256;

/// Why the bytes at a record's place are not a header.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("the input ends inside a record header")]
    CutOff,
    #[error("the record header is longer than {MAX_HEADER_BYTES} bytes")]
    TooLong,
    #[error("the record header has more than {MAX_FIELDS} fields")]
    TooManyFields,
    #[error("no record begins here: the bytes are {0}")]
    NotWarc(String),
    #[error("the record has no Content-Length")]
    NoLength,
    #[error("the record's Content-Length is not a number: {0}")]
    BadLength(String),
    #[error("the record states two different Content-Lengths")]
    TwoLengths,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A record's header. Field names are compared without regard to case; the order of fields is kept.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// What follows `WARC/` in the first line.
    pub(super) version: String,
    /// Bytes of the block.
    pub(super) content_length: u64,
    /// Lines that are no named field and were passed over.
    pub(super) odd_lines: u32,
    fields: Vec<(String, Vec<u8>)>,
}

impl Header {
    /// Reads a header and the blank line after it.
    ///
    /// Lines may end in LF or in any number of CR and LF: some writers double the CR. Folded lines are joined.
    pub(super) fn read(input: &mut dyn BufRead) -> Result<Self, HeaderError> {
        match read_head(input, b"WARC/", MAX_HEADER_BYTES)? {
            Head::Complete(bytes) => Self::parse(&bytes),
            Head::TooLong => Err(HeaderError::TooLong),
            Head::Unfinished(_) => Err(HeaderError::CutOff),
            Head::Other(bytes) => Err(not_warc(&bytes)),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut lines = lines(bytes);
        let version = lines.next().and_then(|line| line.strip_prefix(b"WARC/"));
        let Some(version) = version.and_then(|version| str::from_utf8(version).ok()) else {
            return Err(not_warc(bytes));
        };
        let mut header = Self { version: version.trim().to_owned(), ..Self::default() };
        for line in lines {
            if line.first().is_some_and(|first| matches!(first, b' ' | b'\t')) {
                match header.fields.last_mut() {
                    Some((_, value)) => {
                        value.push(b' ');
                        value.extend_from_slice(line.trim_ascii());
                    }
                    None => header.odd_lines += 1,
                }
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
            let (name, value) = line.split_at(colon);
            match str::from_utf8(name.trim_ascii()) {
                Ok(name) if !name.is_empty() => {
                    let value = value.get(1..).unwrap_or_default().trim_ascii();
                    header.fields.push((name.to_owned(), value.to_vec()));
                }
                _ => header.odd_lines += 1,
            }
            if header.fields.len() > MAX_FIELDS {
                return Err(HeaderError::TooManyFields);
            }
        }
        header.content_length = header.parse_length()?;
        Ok(header)
    }

    fn parse_length(&self) -> Result<u64, HeaderError> {
        let mut values = self.all("Content-Length");
        let first = values.next().ok_or(HeaderError::NoLength)?;
        if values.any(|other| other != first) {
            return Err(HeaderError::TwoLengths);
        }
        let bad = || HeaderError::BadLength(first.escape_ascii().to_string());
        // `u64::from_str` would take a leading plus sign.
        if !first.iter().all(u8::is_ascii_digit) {
            return Err(bad());
        }
        str::from_utf8(first).ok().and_then(|digits| digits.parse().ok()).ok_or_else(bad)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The first field called `name`, when it is there, not empty and UTF-8.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok().filter(|value| !value.is_empty())
    }

    /// Every field called `name` that is not empty and UTF-8.
    pub(super) fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).filter_map(|value| str::from_utf8(value).ok()).filter(|value| !value.is_empty())
    }

    /// As [`Self::get`], without the angle brackets that WARC 1.0 puts around URIs.
    pub(super) fn uri(&self, name: &str) -> Option<&str> {
        self.get(name).map(without_brackets)
    }
}

/// The URI in `value`, which may stand between angle brackets.
pub(super) fn without_brackets(value: &str) -> &str {
    value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value)
}

fn not_warc(bytes: &[u8]) -> HeaderError {
    let shown = &bytes[..bytes.len().min(16)];
    HeaderError::NotWarc(format!("\"{}\"", shown.escape_ascii()))
}

/// What was found where the header of a record or of an HTTP message should be.
pub(super) enum Head {
    /// All lines up to and with the blank one.
    Complete(Vec<u8>),
    /// The input ended before a blank line.
    Unfinished(Vec<u8>),
    /// The first line begins with something else; its bytes were consumed.
    Other(Vec<u8>),
    /// No blank line within the limit.
    TooLong,
}

/// Reads lines up to and with the first blank one, at most `limit` bytes, when the first begins with `prefix`.
pub(super) fn read_head(input: &mut dyn BufRead, prefix: &[u8], limit: usize) -> std::io::Result<Head> {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        let room = (limit - start) as u64;
        let read = (&mut *input).take(room).read_until(b'\n', &mut bytes)?;
        let line = bytes.get(start..).unwrap_or_default();
        let compared = line.len().min(prefix.len());
        if start == 0 && line.get(..compared) != prefix.get(..compared) {
            return Ok(Head::Other(bytes));
        }
        if line.last() != Some(&b'\n') {
            return Ok(if read as u64 == room { Head::TooLong } else { Head::Unfinished(bytes) });
        }
        if without_line_end(line).is_empty() {
            return Ok(Head::Complete(bytes));
        }
        if bytes.len() >= limit {
            return Ok(Head::TooLong);
        }
    }
}

/// The lines of a header, without their ends and without the blank line.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(without_line_end).filter(|line| !line.is_empty())
}

fn without_line_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Header, HeaderError> {
        Header::read(&mut text.as_bytes())
    }

    #[test]
    fn fields_are_found_whatever_their_case_and_line_ends() {
        for end in ["\r\n", "\n", "\r\r\n"] {
            let text =
                format!("WARC/1.1{end}warc-type:response{end}Content-Length:  12 {end}A: b{end}\t c{end}{end}rest");
            let header = read(&text).unwrap();
            assert_eq!((header.version.as_str(), header.content_length), ("1.1", 12));
            assert_eq!((header.get("WARC-Type"), header.get("a")), (Some("response"), Some("b c")));
        }
    }

    #[test]
    fn a_line_that_is_no_field_hides_none_of_the_later_ones() {
        let header =
            read("WARC/1.0\r\nno colon\r\n: no name\r\nContent-Length: 3\r\nWARC-Truncated: length\r\n\r\n").unwrap();
        assert_eq!(header.odd_lines, 2);
        assert_eq!(header.get("WARC-Truncated"), Some("length"));
    }

    #[test]
    fn broken_headers_are_told_apart() {
        assert!(matches!(read("WARC/1.0\r\nContent-Length: 3\r\n"), Err(HeaderError::CutOff)));
        assert!(matches!(read("GIF89a\r\n\r\n"), Err(HeaderError::NotWarc(_))));
        assert!(matches!(read("WARC/1.0\r\nA: b\r\n\r\n"), Err(HeaderError::NoLength)));
        for length in ["-1", "+1", "1 2", "18446744073709551616", "0x10"] {
            let text = format!("WARC/1.0\r\nContent-Length: {length}\r\n\r\n");
            assert!(matches!(read(&text), Err(HeaderError::BadLength(_))), "{length}");
        }
        let two = "WARC/1.0\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n";
        assert!(matches!(read(two), Err(HeaderError::TwoLengths)));
        let long = format!("WARC/1.0\r\nA: {}\r\n\r\n", "x".repeat(MAX_HEADER_BYTES));
        assert!(matches!(read(&long), Err(HeaderError::TooLong)));
        let many = format!("WARC/1.0\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));
        assert!(matches!(read(&many), Err(HeaderError::TooManyFields)));
    }
}

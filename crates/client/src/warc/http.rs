//! Heads of stored HTTP messages: the first line and the header fields, read as leniently as servers wrote them.

use super::header::{Head, lines, read_head};
use std::io::{BufRead, Result};

/// Bytes of an HTTP head, at most.
const MAX_HEAD_BYTES: usize = 256 << 10;
/// Header fields of a message, at most.
const MAX_FIELDS: usize = 512;

/// A message head, as recorded.
#[derive(Debug, Default)]
pub(super) struct MessageHead {
    /// Its bytes, up to and with the blank line.
    pub(super) bytes: Vec<u8>,
    /// The block ended before a blank line.
    pub(super) unfinished: bool,
    /// Lines that are no header field and were passed over.
    pub(super) odd_lines: u32,
    first_line: String,
    fields: Vec<(String, Vec<u8>)>,
}

/// Why a block does not begin with the head of an HTTP message.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadError {
    #[error("the block does not begin with an HTTP message")]
    NotHttp,
    #[error("the HTTP head is longer than {MAX_HEAD_BYTES} bytes")]
    TooLong,
    #[error("the HTTP head has more than {MAX_FIELDS} fields")]
    TooManyFields,
}

impl MessageHead {
    /// Reads the head of a response when `prefix` is `HTTP/`, of a request when it is empty.
    ///
    /// # Errors
    /// The outer result when the block cannot be read, the inner one when it is no HTTP message.
    pub(super) fn read(block: &mut dyn BufRead, prefix: &[u8]) -> Result<std::result::Result<Self, HeadError>> {
        Ok(match read_head(block, prefix, MAX_HEAD_BYTES)? {
            Head::Complete(bytes) => Self::parse(bytes, false),
            Head::Unfinished(bytes) if !bytes.is_empty() && bytes.len() >= prefix.len() => Self::parse(bytes, true),
            Head::Unfinished(_) | Head::Other(_) => Err(HeadError::NotHttp),
            Head::TooLong => Err(HeadError::TooLong),
        })
    }

    fn parse(bytes: Vec<u8>, unfinished: bool) -> std::result::Result<Self, HeadError> {
        // Line ends are made CR LF, and the first line one that the parser knows: stored messages say `HTTP/2 200`,
        // leave the reason out, or double the CR.
        let mut text = b"HTTP/1.1 200 \r\n".to_vec();
        let mut all = lines(&bytes);
        let first_line = String::from_utf8_lossy(all.next().ok_or(HeadError::NotHttp)?).into_owned();
        let mut expected = 0;
        for line in all {
            expected += u32::from(!matches!(line.first(), Some(b' ' | b'\t')));
            text.extend_from_slice(line);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        let mut config = httparse::ParserConfig::default();
        config
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        let mut slots = vec![httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut slots);
        match config.parse_response(&mut response, &text) {
            Ok(_) => {}
            Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooManyFields),
            Err(_) => return Err(HeadError::NotHttp),
        }
        let fields: Vec<_> =
            response.headers.iter().map(|field| (field.name.to_ascii_lowercase(), unfold(field.value))).collect();
        let odd_lines = expected.saturating_sub(u32::try_from(fields.len()).unwrap_or(u32::MAX));
        Ok(Self { bytes, unfinished, odd_lines, first_line, fields })
    }

    /// The status code of a response: the three digits after `HTTP/version`.
    pub(super) fn status(&self) -> Option<u16> {
        let code = self.first_line.split_ascii_whitespace().nth(1)?;
        let valid = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        code.parse().ok().filter(|status| valid && *status >= 100)
    }

    /// The method of a request: the first word.
    pub(super) fn method(&self) -> Option<&str> {
        self.first_line.split_ascii_whitespace().next()
    }

    /// Values of the field called `name` (lower case), in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// The first field called `name` (lower case), when it is there and UTF-8.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(n, _)| n == name)?;
        str::from_utf8(value).ok().map(str::trim)
    }

    /// Whether the last transfer coding is `chunked`.
    pub(super) fn claims_chunked(&self) -> bool {
        let last = self.all("transfer-encoding").last().and_then(|value| str::from_utf8(value).ok());
        last.and_then(|codings| codings.rsplit(',').next())
            .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
    }
}

/// Joins a folded value into one line.
fn unfold(value: &[u8]) -> Vec<u8> {
    value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> std::result::Result<MessageHead, HeadError> {
        MessageHead::read(&mut text.as_bytes(), b"HTTP/").unwrap()
    }

    #[test]
    fn odd_status_lines_are_read() {
        for (line, status) in [
            ("HTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.0 302 ", Some(302)),
            ("HTTP/1.1 404", Some(404)),
            ("HTTP/2 503", Some(503)),
            ("HTTP/1.1  200 two  spaces", Some(200)),
            ("HTTP/1.1 999 Request denied", Some(999)),
            ("HTTP/1.1 20 short", None),
            ("HTTP/1.1 2000 long", None),
            ("HTTP/1.1 +20 sign", None),
            ("HTTP/1.1", None),
        ] {
            assert_eq!(head(&format!("{line}\r\n\r\n")).unwrap().status(), status, "{line}");
        }
    }

    #[test]
    fn odd_fields_hide_no_others() {
        let head = head(
            "HTTP/1.1 200 OK\r\nno colon here\r\nServer : x\nFolded: a\r\n  b\r\nX-\u{e9}: y\r\nLast: 1\r\n\r\nbody",
        )
        .unwrap();
        assert_eq!((head.get("server"), head.get("last")), (Some("x"), Some("1")));
        assert!(head.get("folded").is_some_and(|value| value.starts_with('a') && value.ends_with('b')));
        assert_eq!(head.odd_lines, 2);
        assert!(head.bytes.ends_with(b"1\r\n\r\n"));
    }

    #[test]
    fn only_a_last_coding_of_chunked_counts() {
        for (value, chunked) in
            [("chunked", true), ("gzip, Chunked", true), ("chunked, gzip", false), ("identity", false)]
        {
            assert_eq!(
                head(&format!("HTTP/1.1 200\r\nTransfer-Encoding: {value}\r\n\r\n")).unwrap().claims_chunked(),
                chunked
            );
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        assert!(matches!(head("20260101000000\n8.8.8.8\n"), Err(HeadError::NotHttp)));
        assert!(matches!(head(""), Err(HeadError::NotHttp)));
        assert!(matches!(head(&format!("HTTP/1.1 200\r\nA: {}", "x".repeat(MAX_HEAD_BYTES))), Err(HeadError::TooLong)));
        assert!(matches!(
            head(&format!("HTTP/1.1 200\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1))),
            Err(HeadError::TooManyFields)
        ));
    }

    #[test]
    fn a_head_without_its_blank_line_is_marked() {
        let head = head("HTTP/1.1 204 No Content\r\nServer: x\r\n").unwrap();
        assert!(head.unfinished && head.status() == Some(204));
    }

    #[test]
    fn requests_give_method_and_agent() {
        let head =
            MessageHead::read(&mut &b"POST /a b HTTP/1.1\r\nUser-Agent: Bot/1.0\r\n\r\nx=1"[..], b"").unwrap().unwrap();
        assert_eq!((head.method(), head.get("user-agent")), (Some("POST"), Some("Bot/1.0")));
    }
}

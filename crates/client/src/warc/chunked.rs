//! Removes the chunked transfer coding (RFC 9112, section 7.1) from bytes as they come.

/// Bytes of a line with a chunk's size and extensions, at most.
const MAX_SIZE_LINE: usize = 4 << 10;
/// Bytes of the trailer section, at most.
const MAX_TRAILER: usize = 64 << 10;

/// How a body that claimed to be chunked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The last chunk and the trailer were read; `extra` bytes followed them.
    Complete { extra: u64 },
    /// The body begins with a chunk's size, and ends before the last chunk does.
    Incomplete,
    /// The bytes are not chunks.
    NotChunked,
}

/// Decoder of the chunked transfer coding.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    line: Vec<u8>,
    sizes: u64,
    trailer: usize,
    extra: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
    Failed,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { state: State::Size, line: Vec::new(), sizes: 0, trailer: 0, extra: 0 }
    }

    /// Takes the next bytes of the body and gives those of the payload to `sink`.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut sink: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Failed => return,
                State::Done => {
                    self.extra += bytes.len() as u64;
                    return;
                }
                State::Data(left) => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (data, rest) = bytes.split_at(length);
                    sink(data);
                    let left = left - length as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                    rest
                }
                State::Size | State::DataEnd | State::Trailer => self.line(bytes),
            };
        }
    }

    /// Collects a line; when it is whole, moves on.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |index| index + 1);
        let (part, rest) = bytes.split_at(end);
        if self.line.len() + part.len() > MAX_SIZE_LINE {
            self.state = State::Failed;
            return rest;
        }
        self.line.extend_from_slice(part);
        if self.line.last() == Some(&b'\n') {
            self.sizes += u64::from(self.state == State::Size);
            self.state = self.after_line();
            self.line.clear();
        }
        rest
    }

    fn after_line(&mut self) -> State {
        let line = self.line.as_slice();
        match self.state {
            State::DataEnd if line == b"\r\n" => State::Size,
            State::Trailer if line == b"\r\n" => State::Done,
            State::Trailer => {
                self.trailer += line.len();
                if self.trailer > MAX_TRAILER || !line.contains(&b':') { State::Failed } else { State::Trailer }
            }
            State::Size if line.first().is_some_and(u8::is_ascii_hexdigit) => match httparse::parse_chunk_size(line) {
                Ok(httparse::Status::Complete((length, 0))) if length == line.len() => State::Trailer,
                Ok(httparse::Status::Complete((length, size))) if length == line.len() => State::Data(size),
                _ => State::Failed,
            },
            _ => State::Failed,
        }
    }

    /// What the body turned out to be.
    pub(super) const fn finish(&self) -> Ending {
        match self.state {
            State::Done => Ending::Complete { extra: self.extra },
            State::Failed => Ending::NotChunked,
            _ if self.sizes == 0 => Ending::NotChunked,
            _ => Ending::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(body: &[u8], step: usize) -> (Vec<u8>, Ending) {
        let mut chunked = Chunked::new();
        let mut payload = Vec::new();
        for part in body.chunks(step) {
            chunked.push(part, |data| payload.extend_from_slice(data));
        }
        (payload, chunked.finish())
    }

    #[test]
    fn chunks_are_joined_however_the_bytes_arrive() {
        let body = b"4\r\nWiki\r\n6;name=\"v\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nExpires: never\r\n\r\n";
        for step in 1..=body.len() {
            let (payload, ending) = decode(body, step);
            assert_eq!(payload, b"Wikipedia in \r\n\r\nchunks.");
            assert_eq!(ending, Ending::Complete { extra: 0 }, "step {step}");
        }
    }

    #[test]
    fn bodies_that_are_not_chunked_are_told_apart() {
        for body in [
            &b"<!doctype html>"[..],
            b"\r\n",
            b"4\nWiki\n0\n\n",
            b"4\r\nWikipedia\r\n",
            b"g\r\n",
            b" 4\r\n",
            b"ffffffffffffffffff\r\n",
            b"0\r\nno colon\r\n\r\n",
        ] {
            let long = [body, b"\n".as_slice()].concat();
            assert_eq!(decode(&long, 3).1, Ending::NotChunked, "{}", body.escape_ascii());
        }
        assert_eq!(decode(&vec![b'1'; MAX_SIZE_LINE + 1], 7).1, Ending::NotChunked);
    }

    #[test]
    fn every_cut_of_a_chunked_body_is_incomplete() {
        let body = b"4\r\nWiki\r\n0\r\n\r\n";
        for end in 0..body.len() {
            let expected = if end < b"4\r\n".len() { Ending::NotChunked } else { Ending::Incomplete };
            assert_eq!(decode(&body[..end], 2).1, expected, "{end}");
        }
    }

    #[test]
    fn bytes_after_the_last_chunk_are_counted() {
        assert_eq!(decode(b"1\r\na\r\n0\r\n\r\nabc", 4), (b"a".to_vec(), Ending::Complete { extra: 3 }));
    }
}

//! A file read forward through a buffer that always knows where it is.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Buffered input whose [`Source::position`] is the offset of the next byte that will be consumed.
#[derive(Debug)]
pub(super) struct Source<R> {
    inner: BufReader<R>,
    position: u64,
}

impl<R: Read + Seek> Source<R> {
    /// Starts at the beginning of `input`.
    pub(super) fn new(mut input: R) -> Result<Self> {
        input.seek(SeekFrom::Start(0))?;
        Ok(Self { inner: BufReader::with_capacity(BUFFER_BYTES, input), position: 0 })
    }

    /// Offset of the next byte.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Moves to `position`, without a system call where the buffer holds it.
    pub(super) fn seek_to(&mut self, position: u64) -> Result<()> {
        let too_far = || Error::new(ErrorKind::InvalidInput, "offset beyond 2^63");
        self.inner.seek_relative(position.checked_signed_diff(self.position).ok_or_else(too_far)?)?;
        self.position = position;
        Ok(())
    }

    /// Passes over the next byte, if there is one.
    pub(super) fn consume_one(&mut self) -> Result<()> {
        if !self.fill_buf()?.is_empty() {
            self.consume(1);
        }
        Ok(())
    }

    /// Up to `wanted` (at most 16) next bytes without consuming them; fewer only at the end of the file.
    pub(super) fn peek(&mut self, wanted: usize) -> Result<([u8; 16], usize)> {
        let mut bytes = [0; 16];
        let start = self.position;
        let mut length = 0;
        let room = bytes.get_mut(..wanted).unwrap_or_default();
        while length < room.len() {
            match self.read(&mut room[length..])? {
                0 => break,
                n => length += n,
            }
        }
        if length > 0 {
            self.seek_to(start)?;
        }
        Ok((bytes, length))
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.inner.read(buffer)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn position_follows_every_way_of_reading() {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut source = Source::new(Cursor::new(&bytes)).unwrap();
        for target in [0, 65_530, 65_535, 131_071, 199_990, 3] {
            source.seek_to(target).unwrap();
            let (peeked, length) = source.peek(10).unwrap();
            let start = usize::try_from(target).unwrap();
            assert_eq!(&peeked[..length], &bytes[start..start + 10]);
            assert_eq!(source.position(), target);
            let mut read = [0; 10];
            source.read_exact(&mut read).unwrap();
            assert_eq!(read, peeked[..10]);
            assert_eq!(source.position(), target + 10);
        }
        source.seek_to(199_999).unwrap();
        assert_eq!(source.peek(16).unwrap().1, 1);
        source.consume_one().unwrap();
        assert_eq!(source.peek(16).unwrap().1, 0);
    }
}

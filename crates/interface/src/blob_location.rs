//! Where a rollup's blobs are: a text that its admin puts into the `Rollup` account.

/// Longest location, in bytes. It fits into a transaction of its own with room to spare.
pub const MAX_BLOB_LOCATION_BYTES: usize = 200;
const _: () = assert!(MAX_BLOB_LOCATION_BYTES <= u8::MAX as usize, "its length is one byte in account and instruction");

/// Whether `text` may stand in a `Rollup` account: at most [`MAX_BLOB_LOCATION_BYTES`] of printable ASCII without spaces,
/// `!` to `~`. Empty says nothing. That it is a URL, and one that a reader will follow, is not looked at here.
#[must_use]
pub const fn is_blob_location(text: &str) -> bool {
    is_blob_location_bytes(text.as_bytes())
}

const fn is_blob_location_bytes(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        if !byte.is_ascii_graphic() {
            return false;
        }
        rest = tail;
    }
    bytes.len() <= MAX_BLOB_LOCATION_BYTES
}

/// A location as account and instruction have it: its length, and its place, whose bytes past the length are zero.
pub type BlobLocationPlace = (u8, [u8; MAX_BLOB_LOCATION_BYTES]);

/// The text in a [`BlobLocationPlace`]; `None` when the program would not have taken it.
#[must_use]
pub fn blob_location_in(length: u8, place: &[u8; MAX_BLOB_LOCATION_BYTES]) -> Option<&[u8]> {
    let (text, rest) = place.split_at_checked(usize::from(length))?;
    let is_one = is_blob_location_bytes(text) && rest.iter().all(|byte| *byte == 0);
    is_one.then_some(text)
}

/// Where [`blob_location_in`] finds `text`; a text that is too long is cut, under a length that is too long.
#[must_use]
pub fn blob_location_place(text: &str) -> BlobLocationPlace {
    let mut place = [0; MAX_BLOB_LOCATION_BYTES];
    for (byte, from) in place.iter_mut().zip(text.bytes()) {
        *byte = from;
    }
    (u8::try_from(text.len()).unwrap_or(u8::MAX), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_printable_ascii_up_to_its_length() {
        for text in ["", "!", "~", "https://blobs.example.org/cairn?x=%20&y=(1)", &"x".repeat(200)] {
            assert!(is_blob_location(text), "{text}");
        }
        for text in [" ", "a b", "a\n", "\u{7f}", "\0", "é", "https://blobs.example.org/\u{202e}", &"x".repeat(201)] {
            assert!(!is_blob_location(text), "{text:?}");
        }
        for text in ["", "!", "https://blobs.example.org", &"x".repeat(200)] {
            let (length, place) = blob_location_place(text);
            assert_eq!(blob_location_in(length, &place), Some(text.as_bytes()));
        }
        for text in ["a b", "é", &"x".repeat(201), &"x".repeat(456)] {
            let (length, place) = blob_location_place(text);
            assert_eq!(blob_location_in(length, &place), None, "{text:?}");
        }
        for byte in 0..=u8::MAX {
            assert_eq!(is_blob_location_bytes(&[b'x', byte]), (0x21..=0x7e).contains(&byte), "{byte}");
        }
    }
}

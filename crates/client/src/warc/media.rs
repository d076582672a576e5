//! `Content-Type` and `Content-Language`, as far as a receipt keeps them.

use cairn_types::receipt_max as max;

/// A media type and its character set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ContentType {
    /// Lower case, without parameters.
    pub(super) media_type: Option<String>,
    /// Lower case, without quotes.
    pub(super) charset: Option<String>,
    /// A part was there that is malformed or too long.
    pub(super) left_out: bool,
}

/// The first tag of a `Content-Language`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Language {
    /// As the server wrote it.
    pub(super) tag: Option<String>,
    /// A tag was there that is malformed or too long.
    pub(super) left_out: bool,
}

impl ContentType {
    /// Reads a header's value; of a list, which some servers send, the first member.
    pub(super) fn parse(value: &str) -> Self {
        let mut parts = value.split(',').next().unwrap_or_default().split(';').map(str::trim);
        let mut read = Self::default();
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        match media_type.split_once('/') {
            Some((kind, sub)) if is_token(kind) && is_token(sub) && media_type.len() <= max::MEDIA_TYPE => {
                read.media_type = Some(media_type);
            }
            _ => read.left_out = !media_type.is_empty(),
        }
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
            if !name.trim().eq_ignore_ascii_case("charset") || value.is_empty() || read.charset.is_some() {
                continue;
            }
            if is_token(&value) && value.len() <= max::LABEL {
                read.charset = Some(value);
            } else {
                read.left_out = true;
            }
        }
        read
    }
}

/// Reads a header's value.
pub(super) fn language(value: &str) -> Language {
    let tag = value.split(',').next().unwrap_or_default().trim();
    let fits = !tag.is_empty() && tag.len() <= max::LABEL && is_token(tag);
    Language { tag: fits.then(|| tag.to_owned()), left_out: !fits && !tag.is_empty() }
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_as_servers_write_them() {
        for (value, media_type, charset, left_out) in [
            ("text/html; charset=UTF-8", Some("text/html"), Some("utf-8"), false),
            ("TEXT/HTML;charset=\"iso-8859-1\"", Some("text/html"), Some("iso-8859-1"), false),
            ("text/html; charset=utf-8, text/html", Some("text/html"), Some("utf-8"), false),
            ("text/html;", Some("text/html"), None, false),
            ("text/html; charset", Some("text/html"), None, false),
            ("", None, None, false),
            ("html", None, None, true),
            ("text/ht ml", None, None, true),
            ("text/html; charset=a b", Some("text/html"), None, true),
        ] {
            let read = ContentType::parse(value);
            assert_eq!(
                (read.media_type.as_deref(), read.charset.as_deref(), read.left_out),
                (media_type, charset, left_out),
                "{value}"
            );
        }
        assert!(ContentType::parse(&format!("text/{}", "x".repeat(300))).left_out);
    }

    #[test]
    fn the_first_language_is_kept() {
        assert_eq!(language("de-CH, en").tag.as_deref(), Some("de-CH"));
        assert_eq!(language("").tag, None);
        assert!(language(&"x".repeat(65)).left_out);
    }
}

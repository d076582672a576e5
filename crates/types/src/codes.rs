//! Closed sets of codes in receipts and leaves.

use borsh::{BorshDeserialize, BorshSerialize};

/// A number that stands for nothing in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code} is not a known {what} code")]
pub struct UnknownCode {
    /// Which table.
    pub what: &'static str,
    /// The number.
    pub code: u64,
}

/// Declares an enum whose codes are its borsh tags and its bits in a leaf.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $code:literal => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, BorshSerialize, BorshDeserialize)]
        #[borsh(use_discriminant = true)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* $variant = $code,)+ }

        impl $name {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The number in a leaf.
            #[must_use]
            pub const fn code(self) -> u64 { self as u64 }

            /// The name in texts and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $text,)+ } }
        }

        impl TryFrom<u64> for $name {
            type Error = UnknownCode;
            fn try_from(code: u64) -> Result<Self, UnknownCode> {
                match code { $($code => Ok(Self::$variant),)+ _ => Err(UnknownCode { what: $what, code }) }
            }
        }
    };
}

codes! {
    /// What a rights signal said, as the node read it. Two bits.
    Verdict, "verdict" {
        /// No signal, or one that says neither.
        #[default]
        Unknown = 0 => "unknown",
        /// Use is permitted.
        Allowed = 1 => "allowed",
        /// Use is refused.
        Refused = 2 => "refused",
        /// Use is permitted under terms that the signal names.
        Conditional = 3 => "conditional",
    }
}

codes! {
    /// HTTP request method. Three bits.
    Method, "method" {
        /// Any method without a code of its own.
        #[default]
        Other = 0 => "other",
        /// GET
        Get = 1 => "GET",
        /// HEAD
        Head = 2 => "HEAD",
        /// POST
        Post = 3 => "POST",
        /// PUT
        Put = 4 => "PUT",
        /// DELETE
        Delete = 5 => "DELETE",
        /// OPTIONS
        Options = 6 => "OPTIONS",
        /// PATCH
        Patch = 7 => "PATCH",
    }
}

codes! {
    /// Coarse class of the media type. Four bits.
    MediaClass, "media class" {
        /// No media type was stated.
        #[default]
        Unknown = 0 => "unknown",
        /// HTML and XHTML
        Html = 1 => "html",
        /// Other text
        Text = 2 => "text",
        /// XML, feeds included
        Xml = 3 => "xml",
        /// JSON
        Json = 4 => "json",
        /// PDF
        Pdf = 5 => "pdf",
        /// Office documents and e-books
        Document = 6 => "document",
        /// Images
        Image = 7 => "image",
        /// Audio
        Audio = 8 => "audio",
        /// Video
        Video = 9 => "video",
        /// Scripts and style sheets
        Code = 10 => "code",
        /// Fonts
        Font = 11 => "font",
        /// Archives and compressed files
        Archive = 12 => "archive",
        /// Anything else that was stated
        Other = 15 => "other",
    }
}

impl Method {
    /// The code of a method name; names are case-sensitive (RFC 9110, section 9.1).
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::ALL.iter().copied().find(|method| method.name() == name).unwrap_or(Self::Other)
    }
}

impl MediaClass {
    /// The class of a media type without its parameters, such as `text/html`; case does not matter.
    #[must_use]
    pub fn of(media_type: Option<&str>) -> Self {
        let Some(text) = media_type.map(str::trim).filter(|text| !text.is_empty()) else { return Self::Unknown };
        let text = text.to_ascii_lowercase();
        let (top, sub) = text.split_once('/').unwrap_or((text.as_str(), ""));
        match (top, sub) {
            (_, "html" | "xhtml+xml") => Self::Html,
            (_, "json") => Self::Json,
            (_, "xml") => Self::Xml,
            (_, "pdf" | "x-pdf") => Self::Pdf,
            (_, "javascript" | "x-javascript" | "ecmascript" | "css" | "wasm") => Self::Code,
            ("image", _) => Self::Image,
            ("audio", _) => Self::Audio,
            ("video", _) => Self::Video,
            ("font", _) => Self::Font,
            (_, sub) if sub.ends_with("+json") => Self::Json,
            (_, sub) if sub.ends_with("+xml") => Self::Xml,
            ("text", _) => Self::Text,
            (
                "application",
                "zip" | "gzip" | "x-gzip" | "x-tar" | "x-7z-compressed" | "x-bzip2" | "x-rar-compressed" | "zstd",
            ) => Self::Archive,
            ("application", "msword" | "rtf" | "epub+zip") => Self::Document,
            ("application", sub)
                if ["vnd.openxmlformats-officedocument", "vnd.oasis.opendocument", "vnd.ms-"]
                    .iter()
                    .any(|office| sub.starts_with(office)) =>
            {
                Self::Document
            }
            _ => Self::Other,
        }
    }
}

/// Names of the five verdicts, in the order of a leaf and of a header.
pub const VERDICT_NAMES: [&str; 5] = ["robots", "train_ai", "search", "tdm", "rsl"];

/// What each kind of rights signal said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, BorshSerialize, BorshDeserialize)]
pub struct Verdicts {
    /// Robots Exclusion Protocol (RFC 9309), for the path fetched.
    pub robots: Verdict,
    /// Use for training of AI models.
    pub train_ai: Verdict,
    /// Use for search.
    pub search: Verdict,
    /// Text and data mining (TDM Reservation Protocol).
    pub tdm: Verdict,
    /// Really Simple Licensing.
    pub rsl: Verdict,
}

impl Verdicts {
    /// In the order of [`VERDICT_NAMES`].
    #[must_use]
    pub const fn to_array(self) -> [Verdict; 5] {
        [self.robots, self.train_ai, self.search, self.tdm, self.rsl]
    }

    /// From the order of [`VERDICT_NAMES`].
    #[must_use]
    pub const fn from_array([robots, train_ai, search, tdm, rsl]: [Verdict; 5]) -> Self {
        Self { robots, train_ai, search, tdm, rsl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fit_their_bits_in_a_leaf() {
        assert!(Verdict::ALL.iter().all(|code| code.code() < 1 << 2));
        assert!(Method::ALL.iter().all(|code| code.code() < 1 << 3));
        assert!(MediaClass::ALL.iter().all(|code| code.code() < 1 << 4));
    }

    #[test]
    fn unknown_codes_are_refused() {
        assert!(Verdict::try_from(4).is_err());
        assert!(Method::try_from(8).is_err());
        assert!(MediaClass::try_from(13).is_err());
        for code in MediaClass::ALL {
            assert_eq!(MediaClass::try_from(code.code()), Ok(*code));
        }
    }

    #[test]
    fn media_types_fall_into_their_classes() {
        let cases = [
            (None, MediaClass::Unknown),
            (Some(""), MediaClass::Unknown),
            (Some("text/html"), MediaClass::Html),
            (Some("TEXT/HTML"), MediaClass::Html),
            (Some("application/xhtml+xml"), MediaClass::Html),
            (Some("image/svg+xml"), MediaClass::Image),
            (Some("application/rss+xml"), MediaClass::Xml),
            (Some("application/ld+json"), MediaClass::Json),
            (Some("text/plain"), MediaClass::Text),
            (Some("text/css"), MediaClass::Code),
            (Some("application/vnd.ms-excel"), MediaClass::Document),
            (Some("application/octet-stream"), MediaClass::Other),
            (Some("nonsense"), MediaClass::Other),
        ];
        for (text, class) in cases {
            assert_eq!(MediaClass::of(text), class, "{text:?}");
        }
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::of("GET"), Method::Get);
        assert_eq!(Method::of("get"), Method::Other);
    }
}

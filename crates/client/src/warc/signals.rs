//! Preference signals: what response headers and robots.txt lines say about uses of the content.
//!
//! Read are `Content-Usage` (IETF AI preferences), `Content-Signal`, `X-Robots-Tag`, `TDM-Reservation` with
//! `TDM-Policy` (TDM Reservation Protocol) and `Link: rel="license"` with the type of Really Simple Licensing.
//! Where several speak about one use the most restrictive wins; a signal that cannot be read for certain makes the
//! verdict unknown rather than allowed. Signals inside HTML are not read.

use super::http::MessageHead;
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::{RightsSignal, SignalKind, Verdict};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// What one or more signals say about one use, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, BorshSerialize, BorshDeserialize)]
pub(super) enum Opinion {
    /// Nothing.
    #[default]
    None,
    Allowed,
    /// Something that may or may not concern this fetch, or that cannot be read.
    Doubt,
    Conditional,
    Refused,
}

impl Opinion {
    pub(super) const fn verdict(self) -> Verdict {
        match self {
            Self::None | Self::Doubt => Verdict::Unknown,
            Self::Allowed => Verdict::Allowed,
            Self::Conditional => Verdict::Conditional,
            Self::Refused => Verdict::Refused,
        }
    }
}

/// Signals as found: digests of their bytes, and what they say.
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Signals {
    /// In order of kind.
    pub(super) raw: Vec<RightsSignal>,
    pub(super) train_ai: Opinion,
    pub(super) search: Opinion,
    pub(super) tdm: Opinion,
    pub(super) rsl: Opinion,
}

impl Signals {
    /// Those of a response. `is_image` decides whether `noimageai` concerns its payload.
    pub(super) fn of_response(head: &MessageHead, is_image: bool) -> Self {
        let mut signals = Self::default();
        if signals.note(SignalKind::XRobotsTag, head, "x-robots-tag").is_some() {
            head.all("x-robots-tag").for_each(|value| signals.read_robots_tag(value, is_image));
        }
        if let Some(value) = signals.note(SignalKind::ContentUsage, head, "content-usage") {
            signals.read_usage(&value);
        }
        if let Some(value) = signals.note(SignalKind::ContentSignal, head, "content-signal") {
            signals.read_content_signal(&value);
        }
        let reservation = signals.note(SignalKind::Tdm, head, "tdm-reservation");
        let policy = signals.note(SignalKind::Tdm, head, "tdm-policy");
        signals.tdm = match (reservation.as_deref().map(<[u8]>::trim_ascii), policy) {
            (None, None) => Opinion::None,
            (Some(b"0"), _) => Opinion::Allowed,
            (Some(b"1"), None) => Opinion::Refused,
            (Some(b"1"), Some(_)) => Opinion::Conditional,
            _ => Opinion::Doubt,
        };
        for link in head.all("link") {
            let text = String::from_utf8_lossy(link).to_ascii_lowercase();
            // Each link starts with its target between angle brackets.
            let is_rsl = |link: &str| link.contains("application/rsl+xml") && link.contains("license");
            if text.split('<').any(is_rsl) {
                signals.push(SignalKind::Rsl, link);
                signals.rsl = Opinion::Conditional;
            }
        }
        signals
    }

    /// Those of the lines of a robots.txt, for a crawler that goes by one of the names `agents` (lower case).
    ///
    /// A line counts as it stands in the group that applies to the crawler; in any other group it is a doubt.
    pub(super) fn of_robots(text: &str, agents: &[String]) -> Self {
        let mut signals = Self::default();
        let mut content_signals = Vec::new();
        let mut group: Vec<String> = Vec::new();
        let mut in_agents = false;
        let own_group =
            robots_lines(text).any(|(key, value)| key == "user-agent" && agents.contains(&value.to_ascii_lowercase()));
        for (key, value) in robots_lines(text) {
            if key == "user-agent" {
                if !in_agents {
                    group.clear();
                }
                group.push(value.to_ascii_lowercase());
                in_agents = true;
                continue;
            }
            in_agents = false;
            let names_us = group.iter().any(|agent| agents.contains(agent));
            let applies = if own_group { names_us } else { group.is_empty() || group.iter().any(|agent| agent == "*") };
            let mut line = Self::default();
            match key.as_str() {
                "content-usage" => line.read_usage(value.as_bytes()),
                "content-signal" => {
                    content_signals.push(value.to_owned());
                    line.read_content_signal(value.as_bytes());
                }
                "license" => line.rsl = Opinion::Conditional,
                _ => continue,
            }
            signals.merge(if applies { line } else { line.doubted() });
        }
        if !content_signals.is_empty() {
            signals.push(SignalKind::ContentSignal, content_signals.join(", ").as_bytes());
        }
        signals
    }

    /// Adds what `other` found.
    pub(super) fn merge(&mut self, other: Self) {
        self.raw.extend(other.raw);
        self.raw.sort_by_key(|signal| signal.kind);
        self.train_ai = self.train_ai.max(other.train_ai);
        self.search = self.search.max(other.search);
        self.tdm = self.tdm.max(other.tdm);
        self.rsl = self.rsl.max(other.rsl);
    }

    fn doubted(self) -> Self {
        let doubt = |opinion| if opinion == Opinion::None { Opinion::None } else { Opinion::Doubt };
        Self {
            raw: self.raw,
            train_ai: doubt(self.train_ai),
            search: doubt(self.search),
            tdm: doubt(self.tdm),
            rsl: doubt(self.rsl),
        }
    }

    /// Digests the combined value of a header (RFC 9110, section 5.2) and returns it.
    fn note(&mut self, kind: SignalKind, head: &MessageHead, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> = head.all(name).collect();
        let combined = values.join(b", ".as_slice());
        if values.is_empty() {
            return None;
        }
        self.push(kind, &combined);
        Some(combined)
    }

    fn push(&mut self, kind: SignalKind, bytes: &[u8]) {
        self.raw.push(RightsSignal { kind, digest: *blake3::hash(bytes).as_bytes() });
        self.raw.sort_by_key(|signal| signal.kind);
    }

    fn read_usage(&mut self, value: &[u8]) {
        let (train_ai, search) = match dictionary(value) {
            Some(members) => (choice(&members, "train-ai", "y", "n"), choice(&members, "search", "y", "n")),
            None => (Opinion::Doubt, Opinion::Doubt),
        };
        self.train_ai = self.train_ai.max(train_ai);
        self.search = self.search.max(search);
    }

    fn read_content_signal(&mut self, value: &[u8]) {
        let (train_ai, search) = match dictionary(value) {
            Some(members) => (choice(&members, "ai-train", "yes", "no"), choice(&members, "search", "yes", "no")),
            None => (Opinion::Doubt, Opinion::Doubt),
        };
        self.train_ai = self.train_ai.max(train_ai);
        self.search = self.search.max(search);
    }

    fn read_robots_tag(&mut self, value: &[u8], is_image: bool) {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        let (mut search, mut train_ai) = (Opinion::None, Opinion::None);
        for (index, rule) in text.split(',').enumerate() {
            let (name, has_value) = rule.split_once(':').map_or((rule, false), |(name, _)| (name, true));
            match name.trim() {
                "noindex" | "none" if !has_value => search = search.max(Opinion::Refused),
                "all" | "index" if !has_value => search = search.max(Opinion::Allowed),
                "noai" if !has_value => train_ai = Opinion::Refused,
                "noimageai" if !has_value => {
                    train_ai = train_ai.max(if is_image { Opinion::Refused } else { Opinion::Doubt });
                }
                "unavailable_after" => search = search.max(Opinion::Conditional),
                "max-snippet" | "max-image-preview" | "max-video-preview" => {}
                // `name: rules` speaks to the crawler of that name only.
                _ if has_value && index == 0 => {
                    self.search = self.search.max(Opinion::Doubt);
                    self.train_ai = self.train_ai.max(Opinion::Doubt);
                    return;
                }
                _ => {}
            }
        }
        self.search = self.search.max(search);
        self.train_ai = self.train_ai.max(train_ai);
    }
}

/// Members of a structured dictionary (RFC 9651).
fn dictionary(value: &[u8]) -> Option<Dictionary> {
    Parser::new(value).parse().ok()
}

fn choice(members: &Dictionary, name: &str, allowed: &str, refused: &str) -> Opinion {
    match members.get(name) {
        None => Opinion::None,
        Some(ListEntry::Item(item)) => match &item.bare_item {
            BareItem::Token(token) if token.as_str() == allowed => Opinion::Allowed,
            BareItem::Token(token) if token.as_str() == refused => Opinion::Refused,
            _ => Opinion::Doubt,
        },
        Some(ListEntry::InnerList(_)) => Opinion::Doubt,
    }
}

/// Lines `key: value` of a robots.txt, keys in lower case, comments removed.
fn robots_lines(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.split(['\r', '\n']).filter_map(|line| {
        let line = line.split_once('#').map_or(line, |(line, _)| line);
        let (key, value) = line.split_once(':')?;
        Some((key.trim().trim_start_matches('\u{feff}').to_ascii_lowercase(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &str, is_image: bool) -> Signals {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        Signals::of_response(&MessageHead::read(&mut text.as_bytes(), b"HTTP/").unwrap().unwrap(), is_image)
    }

    #[test]
    fn each_header_gives_its_verdict() {
        use Opinion::{Allowed, Conditional, Doubt, None, Refused};
        for (fields, [train_ai, search, tdm, rsl]) in [
            ("Server: x", [None, None, None, None]),
            ("Content-Usage: train-ai=n, search=y", [Refused, Allowed, None, None]),
            ("Content-Usage: train-ai=maybe", [Doubt, None, None, None]),
            ("Content-Usage: =broken", [Doubt, Doubt, None, None]),
            ("Content-Usage: train-ai=y\r\nContent-Usage: search=n", [Allowed, Refused, None, None]),
            ("Content-Signal: ai-train=no, search=yes, ai-input=yes", [Refused, Allowed, None, None]),
            ("Content-Signal: ai-train=yes\r\nContent-Usage: train-ai=n", [Refused, None, None, None]),
            ("X-Robots-Tag: noindex, nofollow", [None, Refused, None, None]),
            ("X-Robots-Tag: noai", [Refused, None, None, None]),
            ("X-Robots-Tag: noimageai", [Doubt, None, None, None]),
            ("X-Robots-Tag: all\r\nContent-Usage: search=y", [None, Allowed, None, None]),
            ("X-Robots-Tag: otherbot: noindex, noai", [Doubt, Doubt, None, None]),
            ("X-Robots-Tag: unavailable_after: 25 Jun 2030 15:00:00 PST", [None, Conditional, None, None]),
            ("TDM-Reservation: 0", [None, None, Allowed, None]),
            ("TDM-Reservation: 1", [None, None, Refused, None]),
            ("tdm-reservation: 1\r\ntdm-policy: https://e.org/p.json", [None, None, Conditional, None]),
            ("TDM-Reservation: yes", [None, None, Doubt, None]),
            (
                "Link: <https://e.org/l.xml>; rel=\"license\"; type=\"application/rsl+xml\"",
                [None, None, None, Conditional],
            ),
            ("Link: <https://e.org/cc>; rel=\"license\"", [None, None, None, None]),
        ] {
            let signals = of(fields, false);
            assert_eq!(
                [signals.train_ai, signals.search, signals.tdm, signals.rsl],
                [train_ai, search, tdm, rsl],
                "{fields}"
            );
        }
        assert_eq!(of("X-Robots-Tag: noimageai", true).train_ai, Opinion::Refused);
    }

    #[test]
    fn raw_signals_are_digested_in_order_of_kind_and_one_per_header() {
        let signals =
            of("TDM-Reservation: 1\r\nX-Robots-Tag: noai\r\nX-Robots-Tag: noindex\r\nContent-Usage: search=y", false);
        let kinds: Vec<_> = signals.raw.iter().map(|signal| signal.kind).collect();
        assert_eq!(kinds, [SignalKind::XRobotsTag, SignalKind::ContentUsage, SignalKind::Tdm]);
        assert_eq!(signals.raw[0].digest, *blake3::hash(b"noai, noindex").as_bytes());
    }

    #[test]
    fn robots_lines_count_in_the_group_that_applies() {
        let text = "User-agent: *\nContent-Signal: search=yes, ai-train=no # why\nDisallow: /x\n\nUser-agent: Other\nContent-Usage: train-ai=y\n";
        let signals = Signals::of_robots(text, &["wget".to_owned()]);
        assert_eq!((signals.train_ai, signals.search), (Opinion::Refused, Opinion::Allowed));
        assert_eq!(signals.raw.len(), 1);
        let other = Signals::of_robots(text, &["other".to_owned()]);
        assert_eq!((other.train_ai, other.search), (Opinion::Doubt, Opinion::Doubt));
        assert_eq!(Signals::of_robots("License: https://e.org/l.xml", &[]).rsl, Opinion::Conditional);
        assert_eq!(Signals::of_robots("Content-Usage: /a train-ai=n", &[]).train_ai, Opinion::Doubt);
    }
}

//! Which robots.txt was in force at a fetch, and what it says about it (RFC 9309).
//!
//! The copy in force is the last answer that the inputs hold for `/robots.txt` of the same scheme, host and port, not
//! later than the fetch and at most a day before it. A 2xx answer is read; 4xx means that everything is allowed, 5xx
//! that nothing is (sections 2.3.1.3 and 2.3.1.4); redirects are not followed. Without a copy, without the crawler's
//! name, or when its names lead to different answers, the verdict is unknown.

use super::signals::Signals;
use cairn_types::{RightsSignal, SignalKind, Verdict};
use std::collections::HashMap;
use std::sync::Arc;
use texting_robots::Robot;
use url::Url;

/// A crawler should not use a copy for longer (RFC 9309, section 2.4).
const MAX_AGE_MS: u64 = 24 * 60 * 60 * 1000;
/// Product names that are read from a `User-Agent`, at most.
const MAX_PRODUCTS: usize = 8;

/// Whether `target` is the URL of a robots.txt.
pub(super) fn is_robots_txt(target: &str) -> bool {
    Url::parse(target).is_ok_and(|url| url.path() == "/robots.txt")
}

/// Scheme, host and port: what a robots.txt speaks for.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An answer to a request for a robots.txt.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    /// Order of the record among all fetches.
    pub(super) order: usize,
    pub(super) time: u64,
    pub(super) status: u16,
    pub(super) payload_blake3: [u8; 32],
    pub(super) text: Option<Arc<[u8]>>,
}

/// What the copy in force says.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) verdict: Verdict,
    pub(super) signals: Signals,
}

/// All copies of the inputs.
#[derive(Default)]
pub(super) struct Copies {
    by_origin: HashMap<String, Vec<Copy>>,
    rules: HashMap<(usize, String), Option<Robot>>,
}

impl Copies {
    /// Takes a copy. Those of one origin are kept in order of time.
    pub(super) fn insert(&mut self, origin: String, copy: Copy) {
        if matches!(copy.status, 200..300 | 400..600) {
            let copies = self.by_origin.entry(origin).or_default();
            let at = copies.partition_point(|other| (other.time, other.order) <= (copy.time, copy.order));
            copies.insert(at, copy);
        }
    }

    /// What is known about the fetch with place `order` of `url` at `time` by a crawler that called itself `agent`.
    pub(super) fn evidence(&mut self, order: usize, url: &Url, time: u64, agent: Option<&str>) -> Evidence {
        let Some(copy) = self.in_force(&origin(url), order, time) else { return Evidence::default() };
        let agents = agent.map(products).unwrap_or_default();
        let text = copy.text.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
        let mut signals = match text {
            Some(text) => Signals::of_robots(text, &agents),
            None => Signals::default(),
        };
        signals.merge(Signals {
            raw: vec![RightsSignal { kind: SignalKind::RobotsTxt, digest: copy.payload_blake3 }],
            ..Signals::default()
        });
        let verdict = match (copy.status, text) {
            (429, _) => Verdict::Unknown,
            (400..500, _) => Verdict::Allowed,
            (500..600, _) => Verdict::Refused,
            (_, None) => Verdict::Unknown,
            (_, Some(text)) => self.verdict(copy.order, text, &agents, url),
        };
        Evidence { verdict, signals }
    }

    fn in_force(&self, origin: &str, order: usize, time: u64) -> Option<Copy> {
        let copies = self.by_origin.get(origin)?;
        let before = copies.iter().rev().find(|copy| (copy.time, copy.order) < (time, order))?;
        (time - before.time <= MAX_AGE_MS).then(|| before.clone())
    }

    fn verdict(&mut self, copy: usize, text: &str, agents: &[String], url: &Url) -> Verdict {
        let mut answers = agents.iter().map(|agent| {
            let rules =
                self.rules.entry((copy, agent.clone())).or_insert_with(|| Robot::new(agent, text.as_bytes()).ok());
            rules.as_ref().map(|rules| rules.allowed(url.as_str()))
        });
        let first = answers.next().flatten();
        match first {
            Some(allowed) if answers.all(|answer| answer == Some(allowed)) => {
                if allowed {
                    Verdict::Allowed
                } else {
                    Verdict::Refused
                }
            }
            _ => Verdict::Unknown,
        }
    }
}

/// Names, in lower case, under which a robots.txt may address the sender of a `User-Agent`.
///
/// `Mozilla/5.0 (compatible; Name/1.0; …)` is `Name`; any other value is its products outside comments.
fn products(agent: &str) -> Vec<String> {
    let compatible = agent.split(['(', ')']).find_map(|part| {
        let mut segments =
            part.split(';').map(str::trim).skip_while(|segment| !segment.eq_ignore_ascii_case("compatible"));
        segments.next()?;
        segments.next().and_then(product)
    });
    if let Some(name) = compatible {
        return vec![name];
    }
    let mut depth = 0_u32;
    let outside: String = agent
        .chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > 0 || c == ')' { ' ' } else { c }
        })
        .collect();
    let mut names: Vec<String> = outside.split_ascii_whitespace().filter_map(product).collect();
    names.sort();
    names.dedup();
    names.truncate(MAX_PRODUCTS);
    names
}

/// The product token that `text` begins with (RFC 9309, section 2.2.1: letters, `_` and `-`).
fn product(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_' || c == '-')).unwrap_or(text.len());
    let name = text.get(..end).filter(|name| !name.is_empty())?;
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "User-agent: *\nDisallow: /private\nAllow: /private/open\n\nUser-agent: BadBot\nDisallow: /\n";

    fn copies(status: u16, text: Option<&str>) -> Copies {
        let mut copies = Copies::default();
        let text = text.map(|text| Arc::from(text.as_bytes()));
        let copy = Copy { order: 5, time: 1_000_000, status, payload_blake3: [1; 32], text };
        copies.insert("http://example.org".to_owned(), copy);
        copies
    }

    fn verdict(copies: &mut Copies, url: &str, time: u64, agent: Option<&str>) -> Verdict {
        copies.evidence(9, &Url::parse(url).unwrap(), time, agent).verdict
    }

    #[test]
    fn the_rules_of_the_crawlers_group_hold() {
        let mut copies = copies(200, Some(TEXT));
        for (url, agent, expected) in [
            ("http://example.org/a", "Wget/1.21", Verdict::Allowed),
            ("http://example.org/private/x", "Wget/1.21", Verdict::Refused),
            ("http://example.org/private/open/x", "Wget/1.21", Verdict::Allowed),
            ("http://example.org/a", "BadBot/2.0 (https://bad.example/)", Verdict::Refused),
            ("http://example.org/a", "Mozilla/5.0 (compatible; BadBot/1.0; +http://bad.example)", Verdict::Refused),
            ("http://example.org/a", "Wget/1.21 BadBot/1.0", Verdict::Unknown),
            ("http://example.org/a", "", Verdict::Unknown),
            ("https://example.org/private", "Wget/1.21", Verdict::Unknown),
            ("http://example.org:8080/private", "Wget/1.21", Verdict::Unknown),
        ] {
            assert_eq!(verdict(&mut copies, url, 1_000_000, Some(agent)), expected, "{url} by {agent}");
        }
        assert_eq!(verdict(&mut copies, "http://example.org/a", 1_000_000, None), Verdict::Unknown);
    }

    #[test]
    fn a_copy_holds_for_a_day_and_never_for_earlier_fetches() {
        let mut copies = copies(200, Some(TEXT));
        let at = |copies: &mut Copies, order, time| {
            copies.evidence(order, &Url::parse("http://example.org/a").unwrap(), time, Some("Wget")).verdict
        };
        assert_eq!(at(&mut copies, 9, 999_999), Verdict::Unknown);
        assert_eq!(at(&mut copies, 4, 1_000_000), Verdict::Unknown);
        assert_eq!(at(&mut copies, 5, 1_000_000), Verdict::Unknown, "a copy is no evidence for its own fetch");
        assert_eq!(at(&mut copies, 6, 1_000_000 + MAX_AGE_MS), Verdict::Allowed);
        assert_eq!(at(&mut copies, 6, 1_000_001 + MAX_AGE_MS), Verdict::Unknown);
    }

    #[test]
    fn missing_and_failing_files_mean_what_the_standard_says() {
        for (status, expected) in [
            (404, Verdict::Allowed),
            (429, Verdict::Unknown),
            (503, Verdict::Refused),
            (301, Verdict::Unknown),
            (200, Verdict::Unknown),
        ] {
            let mut copies = copies(status, None);
            assert_eq!(verdict(&mut copies, "http://example.org/a", 1_000_000, Some("Wget")), expected, "{status}");
        }
    }

    #[test]
    fn later_copies_replace_earlier_ones() {
        let mut copies = copies(200, Some(TEXT));
        let open =
            Copy { order: 7, time: 2_000_000, status: 200, payload_blake3: [2; 32], text: Some(Arc::from(&b""[..])) };
        copies.insert("http://example.org".to_owned(), open);
        let url = "http://example.org/private";
        assert_eq!(verdict(&mut copies, url, 1_999_999, Some("Wget")), Verdict::Refused);
        assert_eq!(verdict(&mut copies, url, 2_000_000, Some("Wget")), Verdict::Allowed);
    }

    #[test]
    fn names_are_read_from_user_agents() {
        for (agent, names) in [
            ("Wget/1.21.3", &["wget"][..]),
            ("CCBot/2.0 (https://commoncrawl.org/faq/)", &["ccbot"]),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://x) Chrome/1 Safari/1",
                &["bingbot"],
            ),
            ("Mozilla/5.0 (X11; Linux) Gecko/2010 Firefox/115.0", &["firefox", "gecko", "mozilla"]),
            ("python-requests/2.18.4", &["python-requests"]),
            ("", &[]),
            ("((((", &[]),
        ] {
            assert_eq!(products(agent), names, "{agent}");
        }
    }
}

//! Registrable domains by the public suffix list that is compiled in.

use url::{Host, Url};

/// Version of the crate `psl`, whose releases are those of the list.
pub(super) const SUFFIX_LIST: &str = "2.1.247";

/// The registrable domain of a URL's host, lower case and in ASCII; the host itself where it has none: IP addresses,
/// `localhost`, public suffixes. `None` when the URL has no host.
pub(super) fn registrable(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let domain = psl::domain_str(&name).map(str::to_owned);
            Some(domain.unwrap_or(name)).filter(|name| !name.is_empty())
        }
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_those_of_the_public_suffix_list() {
        for (url, domain) in [
            ("http://www.example.co.uk/a", "example.co.uk"),
            ("https://EXAMPLE.org:8443/", "example.org"),
            ("http://a.b.example.com./", "example.com"),
            ("http://user@example.com/", "example.com"),
            ("http://me.github.io/", "me.github.io"),
            ("http://b\u{fc}cher.example.de/", "example.de"),
            ("http://b\u{fc}cher.de/", "xn--bcher-kva.de"),
            ("http://co.uk/", "co.uk"),
            ("http://localhost:8000/x", "localhost"),
            ("http://127.0.0.1/", "127.0.0.1"),
            ("http://[::1]/", "::1"),
        ] {
            assert_eq!(registrable(&Url::parse(url).unwrap()).as_deref(), Some(domain), "{url}");
        }
    }

    #[test]
    fn the_list_is_of_the_version_that_receipts_state() {
        let lock = include_str!("../../../../Cargo.lock");
        assert!(
            lock.contains(&format!("name = \"psl\"\nversion = \"{SUFFIX_LIST}\"")),
            "SUFFIX_LIST is not the version in Cargo.lock"
        );
    }
}

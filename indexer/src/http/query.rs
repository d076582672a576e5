//! What requests ask for: parts of paths and queries, each with its bounds, refused by name.

use super::error::{Failure, invalid};
use crate::api::PAGE_SIZE;
use crate::content::lower_hex;
use crate::store::ReplacedId;
use crate::{Commitment, Place};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use cairn_types::limits::{MAX_COUNTER, MAX_NODES};
use cairn_types::{Digest, ReceiptKey};
use serde::Deserialize;

/// A part of a path.
pub(super) type Segment = Result<Path<String>, PathRejection>;
/// A query.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

/// Where in a list to go on. Unknown parameters are refused: a misspelt one would silently do nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    limit: Option<usize>,
    page: Option<String>,
    commitment: Option<String>,
}

/// Which of the batches with a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchQuery {
    replaced: Option<String>,
    commitment: Option<String>,
}

/// Part of a list that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paged<T> {
    pub from: Option<T>,
    pub limit: usize,
    pub commitment: Commitment,
}

/// Which of a receipt's positions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PositionQuery {
    batch: Option<u64>,
    bundle: Option<u64>,
    receipt: Option<u64>,
    commitment: Option<String>,
}

/// After which batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateQuery {
    batch: Option<u64>,
    commitment: Option<String>,
}

pub(super) fn segment(segment: Segment, field: &'static str) -> Result<String, Failure> {
    segment.map(|Path(text)| text).map_err(|_| invalid(field, "it is not UTF-8", "percent-encode UTF-8"))
}

pub(super) fn receipt_digest(text: String) -> Result<Digest, Failure> {
    let fix = "write the 64 lower-case hexadecimal digits of the receipt's digest";
    let bytes = lower_hex(&text).ok_or_else(|| invalid("digest", "it is not a receipt digest", fix))?;
    Digest::from_bytes(bytes).map_err(|error| invalid("digest", &error.to_string(), fix))
}

/// How sure the chain has to be of the answer.
fn commitment(text: Option<String>) -> Result<Commitment, Failure> {
    let fix = "use commitment=finalized, which goes without saying, or commitment=confirmed";
    let found = text.map(|text| text.parse::<Commitment>());
    found.transpose().map(Option::unwrap_or_default).map_err(|error| invalid("commitment", &error.to_string(), fix))
}

pub(super) fn page(query: Asked<PageQuery>) -> Result<Paged<Place>, Failure> {
    paged(query, |text| lower_hex::<{ Place::BYTES }>(text).and_then(|key| Place::from_key(&key)))
}

/// As [`page`], where pages begin at a number up to `most`.
pub(super) fn numbered_page(query: Asked<PageQuery>, most: u64) -> Result<Paged<u64>, Failure> {
    paged(query, |text| number(text, "page", most).ok())
}

/// As [`page`], where pages begin at a replaced batch.
pub(super) fn replaced_page(query: Asked<PageQuery>) -> Result<Paged<ReplacedId>, Failure> {
    paged(query, |text| lower_hex::<{ ReplacedId::BYTES }>(text).and_then(|key| ReplacedId::from_key(&key)))
}

fn paged<T>(query: Asked<PageQuery>, read: impl Fn(&str) -> Option<T>) -> Result<Paged<T>, Failure> {
    let fix = "use limit=1 to 100, page=<next_page of the answer before> and commitment=finalized or confirmed";
    let Query(asked) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    let limit = asked.limit.unwrap_or(PAGE_SIZE);
    if !(1..=PAGE_SIZE).contains(&limit) {
        return Err(invalid("limit", "it is not 1 to 100", fix));
    }
    let from = asked.page.map(|text| read(&text).ok_or_else(|| invalid("page", "it is not a next_page", fix)));
    Ok(Paged { from: from.transpose()?, limit, commitment: commitment(asked.commitment)? })
}

/// Which batch with its number: the one that stands, or one that was replaced.
pub(super) fn batch(query: Asked<BatchQuery>) -> Result<(Option<Digest>, Commitment), Failure> {
    let fix = "use replaced=<header digest from /v1/replaced> and commitment=finalized or confirmed";
    let Query(asked) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    let read = |text: String| {
        let found = lower_hex(&text).and_then(|bytes| Digest::from_bytes(bytes).ok());
        found.ok_or_else(|| invalid("replaced", "it is not a header digest", fix))
    };
    Ok((asked.replaced.map(read).transpose()?, commitment(asked.commitment)?))
}

/// The number up to `most` that decimal digits say, in their one form.
pub(super) fn number(text: &str, field: &'static str, most: u64) -> Result<u64, Failure> {
    let number = text.parse().ok().filter(|number: &u64| *number <= most && number.to_string() == text);
    number.ok_or_else(|| invalid(field, "it is not a number that can stand here", "write it in decimal digits"))
}

/// The batch after which a state is asked for, if one is named.
pub(super) fn state(query: Asked<StateQuery>) -> Result<(Option<u64>, Commitment), Failure> {
    let fix = "name a batch with batch=<number>, or none for the last one, and commitment=finalized or confirmed";
    let Query(asked) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    match asked.batch {
        Some(number) if number >= MAX_COUNTER => Err(invalid("batch", "no batch has such a number", fix)),
        batch => Ok((batch, commitment(asked.commitment)?)),
    }
}

pub(super) fn node_index(text: &str) -> Result<u32, Failure> {
    Ok(number(text, "node_index", u64::from(MAX_NODES) - 1)? as u32)
}

pub(super) fn receipt_key(text: &str) -> Result<ReceiptKey, Failure> {
    let fix = "write the 80 lower-case hexadecimal digits of the key";
    let bytes = lower_hex(text).ok_or_else(|| invalid("key", "it is not a receipt key", fix))?;
    ReceiptKey::from_bytes(bytes).map_err(|error| invalid("key", &error.to_string(), fix))
}

pub(super) fn position(query: Asked<PositionQuery>) -> Result<(Option<Place>, Commitment), Failure> {
    let fix = "give batch, bundle and receipt of one of the receipt's positions, or none of them";
    let Query(asked) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    let place = match (asked.batch, asked.bundle, asked.receipt) {
        (None, None, None) => None,
        (Some(batch), Some(bundle), Some(receipt)) => match Place::checked(batch, bundle, receipt) {
            Some(place) => Some(place),
            None => return Err(invalid("batch, bundle, receipt", "no batch has such a position", fix)),
        },
        _ => return Err(invalid("batch, bundle, receipt", "a part of the position is missing", fix)),
    };
    Ok((place, commitment(asked.commitment)?))
}

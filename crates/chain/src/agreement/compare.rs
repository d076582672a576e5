//! Servers held against one another.

use super::ask::{Answer, Standing, Told};
use super::{Agreement, AgreementError, Dispute, FinalBatch, Finding, Pins, Said, Server, View};
use cairn_interface::Batch;
use cairn_types::Cursor;
use std::collections::BTreeSet;

pub(super) fn agreement(
    servers: &[Server],
    pins: &Pins,
    told: &[Told],
    numbers: &BTreeSet<u64>,
) -> Result<Agreement, AgreementError> {
    let standings = standings(servers, pins, told)?;
    same_rollup(servers, &standings)?;
    let Some(first) = standings.first() else { return Err(AgreementError::NoServers) };
    let views = servers.iter().zip(&standings).map(|(server, Standing { slot, rollup })| View {
        server: server.name.clone(),
        slot: *slot,
        tip: rollup.tip.batches,
        settled: rollup.settled.batches,
        generation: rollup.generation,
    });
    let findings = numbers.iter().map(|number| {
        let answers: Option<Vec<_>> = told.iter().map(|told| told.batches.get(number)).collect();
        // Who knows the rollup was asked for every batch.
        let finding = answers.map_or(Finding::Absent { tip: 0 }, |answers| finding(servers, &answers, *number));
        (*number, finding)
    });
    Ok(Agreement {
        rollup_id: first.rollup.rollup_id,
        profile: first.rollup.profile,
        servers: views.collect(),
        batches: findings.collect(),
    })
}

/// Where each server stands, if all know the rollup.
fn standings<'a>(servers: &[Server], pins: &Pins, told: &'a [Told]) -> Result<Vec<&'a Standing>, AgreementError> {
    let knowing = told.iter().position(|told| told.standing.is_some());
    let Some(other) = knowing else { return Err(AgreementError::NoRollup(pins.rollup)) };
    let each = servers.iter().zip(told).map(|(server, told)| {
        told.standing.as_ref().ok_or_else(|| AgreementError::RollupMissing {
            server: server.name.clone(),
            other: servers[other].name.clone(),
            rollup: pins.rollup,
        })
    });
    each.collect()
}

/// What no two servers may say differently of the rollup, however far each is: its profile, and cursors that are equally
/// far. The rest of it follows from the pins or changes with time.
fn same_rollup(servers: &[Server], standings: &[&Standing]) -> Result<(), AgreementError> {
    let all: Vec<_> = servers.iter().zip(standings).map(|(server, standing)| (server, &*standing.rollup)).collect();
    for (place, (server, rollup)) in all.iter().enumerate() {
        for (other_server, other) in &all[..place] {
            let said = |part, (theirs, ours): (String, String)| {
                let by = vec![(other_server.name.clone(), theirs), (server.name.clone(), ours)];
                AgreementError::Differ { part, said: Said { by } }
            };
            if rollup.profile != other.profile {
                return Err(said("profile", (format!("it is {}", other.profile), format!("it is {}", rollup.profile))));
            }
            if rollup.generation == other.generation
                && let Some(values) = split(&other.tip, &rollup.tip)
            {
                return Err(said("tip", values));
            }
            if let Some(values) = split(&other.settled, &rollup.settled) {
                return Err(said("settled cursor", values));
            }
        }
    }
    Ok(())
}

/// Two cursors after the same number of batches that differ.
fn split(one: &Cursor, other: &Cursor) -> Option<(String, String)> {
    let shown = |cursor: &Cursor| {
        format!(
            "it is {} batches, header {}, state {}, queue {} at {}",
            cursor.batches, cursor.header_digest, cursor.state_root, cursor.queue.position, cursor.queue.digest
        )
    };
    (one.batches == other.batches && one != other).then(|| (shown(one), shown(other)))
}

/// What is to be thought of a batch about which the servers gave these answers.
fn finding(servers: &[Server], answers: &[&Answer], number: u64) -> Finding {
    let name = |at: usize| servers[at].name.clone();
    for (at, answer) in answers.iter().enumerate() {
        if let Some(other) = answers.iter().position(|other| answer.is_behind(other, number)) {
            return Finding::Disputed(Dispute::Behind {
                number,
                server: name(at),
                slot: answer.slot,
                tip: answer.rollup.tip.batches,
                generation: answer.rollup.generation,
                other: name(other),
            });
        }
    }
    // From here on, all are of one generation and either all have come to the batch or none.
    if !answers.iter().all(|answer| answer.reaches(number)) {
        let tip = answers.iter().map(|answer| answer.rollup.tip.batches).max().unwrap_or_default();
        return Finding::Absent { tip };
    }
    let held: Option<Vec<&Batch>> = answers.iter().map(|answer| answer.batch.as_ref()).collect();
    let Some(held) = held else {
        let place = |has: bool| answers.iter().position(|answer| answer.batch.is_some() == has);
        return match (place(false), place(true)) {
            (Some(without), Some(with)) => {
                Finding::Disputed(Dispute::Closed { number, server: name(without), other: name(with) })
            }
            _ => Finding::Closed,
        };
    };
    let Some((first, rest)) = held.split_first() else { return Finding::Absent { tip: 0 } };
    if let Some((part, show)) = rest.iter().find_map(|other| difference(first, other)) {
        let by = held.iter().enumerate().map(|(at, batch)| (name(at), show(batch))).collect();
        return Finding::Disputed(Dispute::Differ { number, part, said: Said { by } });
    }
    Finding::Final(Box::new(FinalBatch {
        header: first.header,
        digest: first.digest,
        slot: first.slot,
        time: first.time,
        settled: answers.iter().all(|answer| number < answer.rollup.settled.batches),
        seen: answers.iter().map(|answer| answer.slot).collect(),
    }))
}

/// Shows a part of a batch.
type Show = fn(&Batch) -> String;

/// The first part in which two accounts of a batch differ, and how it is shown. Attestations grow with time, and are
/// nobody's claim here. Of a settled batch neither are generation and payer: its account may have been closed and restored.
fn difference(one: &Batch, other: &Batch) -> Option<(&'static str, Show)> {
    if one.digest != other.digest {
        // Digests are recomputed: where they are the same, so are the headers.
        let part = one.header.first_difference(&other.header).unwrap_or("header");
        return Some((part, |batch| format!("the header's digest is {}", batch.digest)));
    }
    let settled = one.status.is_settled() && other.status.is_settled();
    let parts: [(&str, bool, Show); 4] = [
        ("generation", settled || one.generation == other.generation, |batch| format!("it is {}", batch.generation)),
        ("slot", one.slot == other.slot, |batch| format!("it is {}", batch.slot)),
        ("time", one.time == other.time, |batch| format!("it is {}", batch.time)),
        ("payer", settled || one.payer == other.payer, |batch| format!("it is {}", batch.payer)),
    ];
    parts.into_iter().find(|(_, same, _)| !same).map(|(part, _, show)| (part, show))
}

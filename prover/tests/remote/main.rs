//! Proving by workers, over real connections: shared work, killed, lying, wrong and returning workers.
//!
//! This program is both: told of a coordinator by the environment it is a worker, otherwise the tests, one after another, since
//! proving takes the whole machine. An argument selects the tests with it in their names.

mod killing;
mod lying;
mod refusing;
mod returning;
mod rig;
#[path = "../samples/mod.rs"]
mod samples;
mod sharing;

use std::time::Instant;

fn main() {
    if let Ok(url) = std::env::var(killing::COORDINATOR) {
        rig::runtime().block_on(killing::be_a_worker(&url));
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    macro_rules! run {
        ($($module:ident::$test:ident,)*) => {$(
            let name = concat!(stringify!($module), "::", stringify!($test));
            if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
                let began = Instant::now();
                println!("test {name} ...");
                rig::runtime().block_on($module::$test());
                println!("test {name} ... ok, {:.1} s", began.elapsed().as_secs_f64());
            }
        )*};
    }
    run! {
        refusing::a_worker_with_another_token_is_refused,
        refusing::a_worker_with_other_circuits_is_refused_with_both_digests,
        refusing::calls_without_a_session_or_with_a_broken_one_are_refused,
        refusing::a_worker_outlives_whatever_a_coordinator_sends,
        refusing::only_workers_with_a_certificate_of_the_given_authority_are_let_in,
        sharing::two_workers_prove_one_batch,
        sharing::this_process_and_a_worker_share_one_batch,
        killing::the_job_of_a_killed_worker_is_done_by_another,
        lying::a_lying_worker_is_found_out_and_the_batch_is_proved,
        returning::a_cancelled_batch_is_dropped_and_a_worker_returns_to_a_restarted_coordinator,
    }
}

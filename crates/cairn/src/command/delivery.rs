//! A line on the terminal while a transaction is on its way: a dozen seconds pass before one is final.

use cairn_chain::{Commitment, DeliveryEvent, RollupClient, Signature};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::time::Duration;

/// The same client, whose deliveries are shown on standard error when that is a terminal.
pub fn shown(client: RollupClient) -> RollupClient {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}");
    let line = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    client.with_observer(Arc::new(move |signature, event| {
        line.enable_steady_tick(Duration::from_millis(200));
        line.set_message(words(signature, event));
    }))
}

fn words(signature: &Signature, event: &DeliveryEvent<'_>) -> String {
    match event {
        DeliveryEvent::Sent { sends: 1 } => format!("{signature} sent"),
        DeliveryEvent::Sent { sends } => format!("{signature} sent {sends} times"),
        DeliveryEvent::Seen { commitment: Commitment::Processed, slot, .. } => {
            format!("{signature} executed in slot {slot}, not confirmed yet")
        }
        DeliveryEvent::Seen { slot, after, .. } => {
            format!("{signature} confirmed in slot {slot} after {:.1} s, not final yet", after.as_secs_f64())
        }
        DeliveryEvent::Dropped { slot } => format!("{signature}: slot {slot} was dropped, sending it again"),
        DeliveryEvent::Trouble { error } => format!("{signature}: {error}; going on"),
    }
}

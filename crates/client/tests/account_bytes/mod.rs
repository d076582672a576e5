//! The program's accounts as bytes, field by field: what an RPC server answers.

use cairn_interface::layout::{DISCRIMINATOR, KEPT_ROOT, QUEUE_HEAD, RING_ENTRY, ROLLUP_RESERVED};
use cairn_interface::{BATCH, HISTORY, KEPT_ROOTS, NODE as NODE_KIND, QUEUE, ROLLUP, Registry, blob_location_place};
use cairn_types::history::{Hash, NativeSha256, PEAKS, append, root};
use cairn_types::{BatchHeader, Cursor, QueueCursor, QueueEntry, ReceiptKey};

/// The address of every rollup here.
const ADDRESS: [u8; 32] = [5; 32];

/// A `Rollup` account whose tip is `tip`, and which says that blobs are at `location`.
pub fn rollup(settled: &Cursor, tip: &Cursor, location: &str) -> Vec<u8> {
    let (length, place) = blob_location_place(location);
    let rollup_id = cairn_interface::rollup_id_of_hash([1; 32]);
    let parts: [&[u8]; 22] = [
        &ROLLUP.discriminator,
        &[1; 32],
        &[2; 32],
        &[3; 32],
        &[4; 32],
        &rollup_id.to_bytes(),
        &[0; 32],
        &[6; 32],
        &cursor(settled),
        &cursor(tip),
        &7_u64.to_le_bytes(),
        &0_u64.to_le_bytes(),
        &32_u64.to_le_bytes(),
        &Registry::OPEN.bond.to_le_bytes(),
        &Registry::OPEN.queue_deadline.to_le_bytes(),
        &1_790_000_000_i64.to_le_bytes(),
        &3_u32.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &900_u64.to_le_bytes(),
        &[0; ROLLUP_RESERVED],
        &[1, 255, 254, length, 0, 0, 0, 0],
        &place,
    ];
    parts.concat()
}

fn cursor(cursor: &Cursor) -> Vec<u8> {
    [
        &cursor.batches.to_le_bytes()[..],
        &cursor.header_digest.to_bytes(),
        &cursor.state_root.to_bytes(),
        &cursor.queue.position.to_le_bytes(),
        &cursor.queue.digest.to_bytes(),
    ]
    .concat()
}

/// A `Batch` account with this header.
pub fn batch(header: &BatchHeader) -> Vec<u8> {
    let mut data = BATCH.discriminator.to_vec();
    data.extend([ADDRESS, [8; 32]].concat());
    // Generation, slot, time and attestations after the number.
    data.extend([header.number, 0, 1_000, 1_790_000_000, 0].map(u64::to_le_bytes).concat());
    // Settled, after three batches that left something overdue, and when.
    data.extend([1_u32, 3].map(u32::to_le_bytes).concat());
    data.extend(1_007_u64.to_le_bytes());
    data.extend(header.statement().to_bytes());
    data.extend(header.to_bytes());
    data
}

/// A `History` account with these leaves, fewer of them than it keeps roots.
pub fn history(leaves: &[Hash]) -> Vec<u8> {
    let (mut size, mut peaks, mut kept) = (0, [[0; 32]; PEAKS], vec![0; KEPT_ROOTS * KEPT_ROOT]);
    for leaf in leaves {
        size = append::<NativeSha256>(size, &mut peaks, *leaf).expect("a few leaves");
        let at = size as usize * KEPT_ROOT;
        let parts = [&size.to_le_bytes()[..], &root::<NativeSha256>(size, &peaks)];
        kept[at..at + KEPT_ROOT].copy_from_slice(&parts.concat());
    }
    let root = root::<NativeSha256>(size, &peaks);
    [&HISTORY.discriminator[..], &ADDRESS, &size.to_le_bytes(), &root, peaks.as_flattened(), &kept].concat()
}

/// A `Node` account that has rotated to `key`.
pub fn node(index: u32, key: &ReceiptKey) -> Vec<u8> {
    let mut data = NODE_KIND.discriminator.to_vec();
    data.extend([ADDRESS, [9; 32], [10; 32]].concat());
    data.extend(key.to_bytes());
    // Slot of the registration, bond, last position.
    data.extend([77_u64, 100_000_000, 2].map(u64::to_le_bytes).concat());
    data.extend(index.to_le_bytes());
    data.extend([2, 255, 0, 0]);
    data
}

/// A `Queue` account with these entries: discriminator, rollup, length, digest, nodes, and the ring, in which position `p`
/// stands at `p mod 256`.
pub fn queue(genesis: QueueCursor, entries: &[QueueEntry], nodes: u64) -> Vec<u8> {
    let mut cursor = genesis;
    let mut data = vec![0; QUEUE.size];
    let ring = DISCRIMINATOR + QUEUE_HEAD;
    for entry in entries {
        cursor = cursor.push(entry);
        let slot = 100 + cursor.position;
        let kind = entry.kind.code() as u32;
        let parts = [
            &cursor.digest.to_bytes()[..],
            &slot.to_le_bytes(),
            &kind.to_le_bytes(),
            &entry.node_index.to_le_bytes(),
            &entry.key.to_bytes(),
        ];
        let at = ring + cursor.position as usize * RING_ENTRY;
        data[at..at + RING_ENTRY].copy_from_slice(&parts.concat());
    }
    let head = [
        &QUEUE.discriminator[..],
        &ADDRESS,
        &cursor.position.to_le_bytes(),
        &cursor.digest.to_bytes(),
        &nodes.to_le_bytes(),
    ];
    data[..ring].copy_from_slice(&head.concat());
    data
}

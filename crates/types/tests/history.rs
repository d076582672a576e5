//! The history tree: against the published roots and paths of Certificate Transparency's test tree, against a naive
//! tree, and with everything wrong that can be wrong with a path.

mod rollup;

use cairn_types::history::{
    Hash, LEAF_BYTES, MAX_SIZE, NativeSha256, PEAKS, PathError, SettledBatch, Sha256, append, leaf, path, root,
    root_of, verify,
};
use proptest::prelude::*;

/// Size, peaks, and the root after each leaf.
fn appended(leaves: &[Hash]) -> (u64, [Hash; PEAKS], Vec<Hash>) {
    // What lies in a peak that is not occupied must not matter.
    let (mut size, mut peaks, mut roots) = (0, [[0xee; 32]; PEAKS], vec![]);
    for leaf in leaves {
        size = append::<NativeSha256>(size, &mut peaks, *leaf).unwrap();
        roots.push(root::<NativeSha256>(size, &peaks));
    }
    (size, peaks, roots)
}

fn numbered(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf::<NativeSha256>(&n.to_le_bytes())).collect()
}

fn hashes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| hex::decode(text).unwrap().try_into().unwrap()).collect()
}

/// The test tree that implementations of Certificate Transparency share.
fn transparency_leaves() -> Vec<Hash> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .map(|text| leaf::<NativeSha256>(&hex::decode(text).unwrap()))
        .to_vec()
}

#[test]
fn roots_are_those_of_the_transparency_test_tree() {
    let expected = hashes(&[
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]);
    let leaves = transparency_leaves();
    assert_eq!(appended(&leaves).2, expected);
    for size in 1..=leaves.len() {
        assert_eq!(root_of::<NativeSha256>(&leaves[..size]), expected[size - 1]);
    }
    let empty = hashes(&["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"])[0];
    assert_eq!(root::<NativeSha256>(0, &[[0xee; 32]; PEAKS]), empty);
    assert_eq!(root_of::<NativeSha256>(&[]), empty);
}

#[test]
fn paths_are_those_of_the_transparency_test_tree() {
    let leaves = transparency_leaves();
    for (index, size, expected) in [
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ][..],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ] {
        assert_eq!(path::<NativeSha256>(&leaves[..size], index), Some(hashes(expected)), "{index} of {size}");
    }
    assert_eq!(path::<NativeSha256>(&leaves, 8), None);
    assert_eq!(path::<NativeSha256>(&[], 0), None);
}

/// For every index of every tree of up to 20 leaves: the path holds, and does so for no other index, size, sibling, length,
/// leaf or root.
#[test]
fn a_path_holds_for_its_own_place_and_nothing_else() {
    const LARGEST: u64 = 20;
    let leaves = numbered(LARGEST);
    let check = verify::<NativeSha256>;
    for size in 1..=LARGEST {
        let tree = &leaves[..size as usize];
        let top = root_of::<NativeSha256>(tree);
        for index in 0..size {
            let own = tree[index as usize];
            let siblings = path::<NativeSha256>(tree, index as usize).unwrap();
            assert_eq!(check(own, index, size, &siblings, &top), Ok(()));

            for other in (0..=LARGEST + 2).chain([index + (1 << 32), u64::MAX]).filter(|other| *other != index) {
                assert!(check(own, other, size, &siblings, &top).is_err(), "{index} of {size} as {other}");
            }
            for other in 0..=LARGEST + 2 {
                // The same path is that of another size only where the tree has the same shape around it.
                let same_shape = other > index && path_shape(index, other) == path_shape(index, size);
                let verdict = check(own, index, other, &siblings, &top);
                assert_eq!(verdict.is_ok(), same_shape, "{index} of {size} as of {other}");
            }
            for at in 0..siblings.len() {
                let mut changed = siblings.clone();
                changed[at][31] ^= 1;
                assert_eq!(check(own, index, size, &changed, &top), Err(PathError::Root));
                let length = siblings.len() - 1;
                changed.remove(at);
                assert_eq!(check(own, index, size, &changed, &top), Err(PathError::Length { index, size, length }));
            }
            for at in 0..=siblings.len() {
                let mut changed = siblings.clone();
                changed.insert(at, [7; 32]);
                let length = changed.len();
                assert_eq!(check(own, index, size, &changed, &top), Err(PathError::Length { index, size, length }));
            }
            assert_eq!(check(leaf::<NativeSha256>(b"other"), index, size, &siblings, &top), Err(PathError::Root));
            assert_eq!(check(own, index, size, &siblings, &[0; 32]), Err(PathError::Root));
        }
    }
}

/// On which side the siblings on the way from `index` to the root of a tree of `size` leaves are, the lowest first.
fn path_shape(index: u64, size: u64) -> Vec<bool> {
    if size == 1 {
        return vec![];
    }
    let left = size.next_power_of_two() / 2;
    let (mut below, is_right) =
        if index < left { (path_shape(index, left), false) } else { (path_shape(index - left, size - left), true) };
    below.push(is_right);
    below
}

#[test]
fn an_inner_node_is_no_leaf() {
    let leaves = numbered(4);
    let top = root_of::<NativeSha256>(&leaves);
    let inner = root_of::<NativeSha256>(&leaves[..2]);
    let above = root_of::<NativeSha256>(&leaves[2..]);
    assert_eq!(
        verify::<NativeSha256>(inner, 0, 2, &[above], &top),
        Ok(()),
        "that is why a size must come with its root"
    );
    let preimage = [&[1][..], &leaves[0], &leaves[1]].concat();
    assert_ne!(leaf::<NativeSha256>(&preimage), inner);
    assert_ne!(leaf::<NativeSha256>(&preimage[1..]), inner);
}

#[test]
fn a_full_history_takes_no_more_and_stays_as_it_is() {
    let before = core::array::from_fn(|n| [n as u8; 32]);
    let mut peaks = before;
    assert_eq!(append::<NativeSha256>(MAX_SIZE - 1, &mut peaks, [9; 32]), Ok(MAX_SIZE));
    let full = peaks;
    let _ = root::<NativeSha256>(MAX_SIZE, &peaks);
    assert!(append::<NativeSha256>(MAX_SIZE, &mut peaks, [9; 32]).is_err());
    assert!(append::<NativeSha256>(u64::MAX, &mut peaks, [9; 32]).is_err());
    assert_eq!(peaks, full);
    let over = MAX_SIZE + 1;
    let verdict = verify::<NativeSha256>([0; 32], 0, over, &[], &[0; 32]);
    assert_eq!(verdict, Err(PathError::Index { index: 0, size: over }));
}

#[test]
fn every_field_of_a_batch_is_in_its_leaf() {
    let rollup = rollup::Rollup::with_nodes(1);
    let header = rollup.attempt(vec![rollup::bundle(&rollup::secret(0), 0, 0, 0..3)], vec![]).unwrap().header;
    let batch = SettledBatch::of(&header, header.statement(), 1_000, -2);
    let bytes = batch.bytes();
    let expected = [
        &header.rollup_id.to_bytes()[..],
        &header.number.to_le_bytes(),
        &header.statement().to_bytes(),
        &header.batch_root.to_bytes(),
        &header.new_state_root.to_bytes(),
        &header.data_digest.to_bytes(),
        &header.data_length.to_le_bytes(),
        &1_000_u64.to_le_bytes(),
        &(-2_i64).to_le_bytes(),
    ]
    .concat();
    assert_eq!((bytes.len(), &bytes[..]), (LEAF_BYTES, &expected[..]));
    assert_eq!(batch.leaf::<NativeSha256>(), NativeSha256::hash(&[&[0], &bytes]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn appending_gives_the_root_of_all_leaves(leaves in prop::collection::vec(any::<Hash>(), 0..200), at in any::<prop::sample::Index>()) {
        let (size, peaks, roots) = appended(&leaves);
        prop_assert_eq!(size, leaves.len() as u64);
        prop_assert_eq!(root::<NativeSha256>(size, &peaks), root_of::<NativeSha256>(&leaves));
        for (count, root) in roots.iter().enumerate() {
            prop_assert_eq!(*root, root_of::<NativeSha256>(&leaves[..=count]));
        }
        if !leaves.is_empty() {
            let index = at.index(leaves.len());
            let siblings = path::<NativeSha256>(&leaves, index).unwrap();
            let top = root::<NativeSha256>(size, &peaks);
            prop_assert_eq!(verify::<NativeSha256>(leaves[index], index as u64, size, &siblings, &top), Ok(()));
        }
    }
}

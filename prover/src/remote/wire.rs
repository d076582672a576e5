//! Jobs in bytes, from a coordinator to a worker.

use crate::ProveError;
use crate::job::Job;
use borsh::io::Error;
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_circuits::plonk::{F, Proof};
use cairn_circuits::{
    CircuitSet, InputsError, LEVELS, Layer, LayerProof, MAX_NODE_PROOF_BYTES, MAX_PROOF_BYTES, NodeError, SegmentInputs,
};
use cairn_proto::v1::ProverJobKind as Kind;
use cairn_types::HEADER_WORDS;
use plonky2::field::types::Field64;

/// Room for the fields beside a payload or a proof, in bytes.
const FRAMING: usize = 4 << 10;
/// The inputs of a job, in bytes, at most: those of a full segment, or two proofs with their lengths.
pub const MAX_PAYLOAD_BYTES: usize = {
    let segment = SegmentInputs::MAX_BYTES;
    let aggregation = (4 + MAX_NODE_PROOF_BYTES) + (1 + 4 + MAX_NODE_PROOF_BYTES);
    let batch = 4 + MAX_NODE_PROOF_BYTES + 8 * HEADER_WORDS;
    let larger = if segment > aggregation { segment } else { aggregation };
    if larger > batch { larger } else { batch }
};
/// A message to a worker, in bytes, at most.
pub const MAX_JOB_MESSAGE_BYTES: usize = MAX_PAYLOAD_BYTES + FRAMING;
/// A message to the coordinator, in bytes, at most.
pub const MAX_PROOF_MESSAGE_BYTES: usize = MAX_NODE_PROOF_BYTES + FRAMING;
const _: () = assert!(MAX_PROOF_BYTES <= MAX_NODE_PROOF_BYTES);

/// The inputs of an aggregation.
#[derive(BorshSerialize, BorshDeserialize)]
struct Children {
    left: Vec<u8>,
    right: Option<Vec<u8>>,
}

/// The inputs of a batch proof.
#[derive(BorshSerialize, BorshDeserialize)]
struct Top {
    child: Vec<u8>,
    header: [u64; HEADER_WORDS],
}

/// A job that was read from bytes.
#[derive(Debug)]
pub enum OwnedJob {
    /// A leaf.
    Segment(Box<SegmentInputs>),
    /// A node.
    Aggregation {
        /// Its level.
        level: usize,
        /// The left proof.
        left: Box<Proof>,
        /// The right proof.
        right: Option<Box<Proof>>,
    },
    /// The header.
    Batch {
        /// The proof of the last level.
        child: Box<Proof>,
        /// The header's words.
        header: Box<[u64; HEADER_WORDS]>,
    },
    /// The batch proof in the form that a chain verifies.
    Final(Box<Proof>),
}

/// Why bytes are no job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Of no kind that there is.
    #[error("a job of kind {kind}, level {level}, is none that this version knows")]
    Kind {
        /// The kind's number.
        kind: i32,
        /// The level.
        level: u32,
    },
    /// Over the limit.
    #[error("a job's payload of {0} bytes is over the limit of {MAX_PAYLOAD_BYTES}")]
    TooLong(usize),
    /// Not borsh, or followed by other bytes.
    #[error("a job's payload does not decode")]
    Encoding(#[from] Error),
    /// No inputs of a segment.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// No proof of the layer below.
    #[error(transparent)]
    Proof(#[from] NodeError),
    /// No header.
    #[error("word {0} of a header is not below the field's order")]
    Header(usize),
}

/// Kind, level and payload of a job.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn encode(job: &Job<'_>) -> (Kind, u32, Vec<u8>) {
    let fits = "writing to memory does not fail";
    match job {
        Job::Segment(inputs) => (Kind::Segment, 0, inputs.encode()),
        Job::Aggregation { level, left, right } => {
            let children = Children { left: left.to_bytes(), right: right.map(Proof::to_bytes) };
            (Kind::Aggregation, *level as u32, borsh::to_vec(&children).expect(fits))
        }
        Job::Batch { child, header } => {
            (Kind::Batch, 0, borsh::to_vec(&Top { child: child.to_bytes(), header: **header }).expect(fits))
        }
        Job::Final(batch) => (Kind::Final, 0, batch.to_bytes()),
    }
}

/// The circuit that a kind and a level name.
///
/// # Errors
/// When there is none.
pub fn layer(kind: i32, level: u32) -> Result<Layer, JobError> {
    match (Kind::try_from(kind), level) {
        (Ok(Kind::Segment), 0) => Ok(Layer::Segment),
        (Ok(Kind::Aggregation), 1..) if level as usize <= LEVELS => Ok(Layer::Aggregation(level as usize)),
        (Ok(Kind::Batch), 0) => Ok(Layer::Batch),
        (Ok(Kind::Final), 0) => Ok(Layer::Final),
        _ => Err(JobError::Kind { kind, level }),
    }
}

impl OwnedJob {
    /// Reads a job of `layer`: whatever is returned can be given to its circuit.
    ///
    /// # Errors
    /// The first bound that the payload breaks.
    pub fn decode(circuits: &CircuitSet, layer: Layer, payload: &[u8]) -> Result<Self, JobError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(JobError::TooLong(payload.len()));
        }
        match layer {
            Layer::Segment => Ok(Self::Segment(Box::new(SegmentInputs::decode(payload)?))),
            Layer::Aggregation(level) => {
                let Children { left, right } = borsh::from_slice(payload)?;
                let below = if level == 1 { Layer::Segment } else { Layer::Aggregation(level.saturating_sub(1)) };
                let right = right.map(|right| circuits.read_node(below, &right)).transpose()?;
                Ok(Self::Aggregation {
                    level,
                    left: Box::new(circuits.read_node(below, &left)?),
                    right: right.map(Box::new),
                })
            }
            Layer::Batch => {
                let Top { child, header } = borsh::from_slice(payload)?;
                if let Some(word) = header.iter().position(|word| *word >= F::ORDER) {
                    return Err(JobError::Header(word));
                }
                let child = circuits.read_node(Layer::Aggregation(LEVELS), &child)?;
                Ok(Self::Batch { child: Box::new(child), header: Box::new(header) })
            }
            Layer::Final => Ok(Self::Final(Box::new(circuits.read_node(Layer::Batch, payload)?))),
        }
    }

    /// Makes the proof: seconds. To be called inside the thread pool that plonky2's loops may use.
    ///
    /// # Errors
    /// When a circuit refuses the inputs, or plonky2 panics on them.
    pub fn prove(&self, circuits: &CircuitSet) -> Result<LayerProof, ProveError> {
        let job = match self {
            Self::Segment(inputs) => Job::Segment(inputs),
            Self::Aggregation { level, left, right } => {
                Job::Aggregation { level: *level, left, right: right.as_deref() }
            }
            Self::Batch { child, header } => Job::Batch { child, header },
            Self::Final(batch) => Job::Final(batch),
        };
        job.prove(circuits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_levels_that_do_not_exist_are_refused() {
        assert_eq!(layer(Kind::Segment.into(), 0).unwrap(), Layer::Segment);
        assert_eq!(layer(Kind::Aggregation.into(), LEVELS as u32).unwrap(), Layer::Aggregation(LEVELS));
        assert_eq!(layer(Kind::Batch.into(), 0).unwrap(), Layer::Batch);
        assert_eq!(layer(Kind::Final.into(), 0).unwrap(), Layer::Final);
        let segment = Kind::Segment as i32;
        let (aggregation, batch, last) = (Kind::Aggregation as i32, Kind::Batch as i32, Kind::Final as i32);
        for (kind, level) in [
            (0, 0),
            (99, 0),
            (-1, 0),
            (segment, 1),
            (aggregation, 0),
            (aggregation, LEVELS as u32 + 1),
            (batch, 1),
            (last, 1),
        ] {
            assert!(matches!(layer(kind, level), Err(JobError::Kind { .. })), "{kind} {level}");
        }
    }

    #[test]
    fn a_segment_is_sent_with_its_kind() {
        let inputs = SegmentInputs::default();
        let (kind, level, payload) = encode(&Job::Segment(&inputs));
        assert_eq!((kind, level), (Kind::Segment, 0));
        assert_eq!(SegmentInputs::decode(&payload).unwrap(), inputs);
    }
}

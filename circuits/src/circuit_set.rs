//! All circuits of a profile, built or loaded once per process, and checked against their pins.

use crate::aggregation::AggregationTarget;
use crate::batch_circuit::BatchTarget;
use crate::cache::Cache;
use crate::compiled::{Compiled, Draft};
use crate::fingerprint::Fingerprint;
use crate::plonk::{Circuit, Proof};
use crate::segment::{SegmentCircuit, SegmentRows, SegmentShape, SegmentTarget};
use crate::{AggregationCircuit, BatchCircuit, Clauses, LEVELS, Layer, Profile, pinned};
use std::convert::Infallible;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The circuits of a profile, from the segment to the batch, each with the key of the one below compiled in.
#[derive(Debug)]
pub struct CircuitSet {
    pub(crate) profile: Profile,
    pub(crate) segment: SegmentCircuit,
    pub(crate) levels: Vec<AggregationCircuit>,
    pub(crate) batch: BatchCircuit,
    /// Where no-op proofs are kept.
    pub(crate) cache: Cache,
    /// The no-op proof of the segment circuit and of each level but the last, made when first needed.
    pub(crate) no_ops: [OnceLock<Proof>; LEVELS],
}

/// The circuits are not those of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// A layer's circuit is another.
    #[error(
        "the {layer} circuit of profile {profile} has fingerprint {built}, but this version is pinned to {pinned}: \
         build from a clean checkout with its Cargo.lock; after a deliberate change of a circuit, \
         run `cargo run --release -p cairn-circuits --example pin` and commit its output"
    )]
    Circuit {
        /// Proof parameters.
        profile: Profile,
        /// Which circuit.
        layer: Layer,
        /// What this program builds.
        built: Fingerprint,
        /// What it must be.
        pinned: Fingerprint,
    },
    /// One of our gates checks something else.
    #[error(
        "the {gate} gate has fingerprint {built}, but this version is pinned to {pinned}: build from a clean checkout; \
         after a deliberate change, run `cargo run --release -p cairn-circuits --example pin` and commit its output"
    )]
    Gate {
        /// Which gate.
        gate: &'static str,
        /// What this program has.
        built: Fingerprint,
        /// What it must be.
        pinned: Fingerprint,
    },
}

/// Where the polynomials of a drawn circuit come from.
trait Source {
    type Error;
    fn circuit<T>(&self, layer: Layer, draft: Draft<T>) -> Result<Compiled<T>, Self::Error>;
}

/// From the builder, unchecked.
struct Fresh;

impl Source for Fresh {
    type Error = Infallible;

    fn circuit<T>(&self, _: Layer, draft: Draft<T>) -> Result<Compiled<T>, Infallible> {
        Ok(draft.build())
    }
}

/// From the cache, else from the builder, and in either case the pinned ones.
struct Pinned<'a> {
    profile: Profile,
    cache: &'a Cache,
}

impl Source for Pinned<'_> {
    type Error = PinError;

    fn circuit<T>(&self, layer: Layer, draft: Draft<T>) -> Result<Compiled<T>, PinError> {
        let (profile, pinned) = (self.profile, pinned::layer(self.profile, layer).fingerprint);
        if let Some(circuit) = self.cache.circuit(profile, layer, &pinned) {
            return Ok(draft.with(circuit));
        }
        let compiled = draft.build();
        let built = Fingerprint::of_circuit(&compiled.circuit);
        if built != pinned {
            return Err(PinError::Circuit { profile, layer, built, pinned });
        }
        if let Err(error) = self.cache.keep_circuit(profile, layer, &pinned, &compiled.circuit) {
            log::warn!("the {layer} circuit is not kept for the next start: {error}");
        }
        Ok(compiled)
    }
}

impl CircuitSet {
    /// Circuits that are loaded or built.
    pub const STEPS: usize = LEVELS + 2;

    /// The circuits of `profile`. The first call loads or builds them, which takes seconds, and reports each of
    /// [`Self::STEPS`] steps when it is done.
    ///
    /// # Errors
    /// When a circuit is not the pinned one.
    pub fn get(profile: Profile, done: &dyn Fn(usize)) -> Result<&'static Self, PinError> {
        static SETS: [OnceLock<CircuitSet>; 2] = [const { OnceLock::new() }; 2];
        static MAKING: Mutex<()> = Mutex::new(());
        let set = &SETS[usize::from(profile == Profile::Production)];
        if set.get().is_none() {
            // One at a time: two sets made at once would slow one another down and need twice the memory.
            let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
            if set.get().is_none() {
                let made = Self::make(profile, &Cache::from_environment(), done)?;
                return Ok(set.get_or_init(|| made));
            }
        }
        Ok(set.get().expect("made above or by another thread"))
    }

    /// Loads the circuits from `cache` where they are there and intact, builds and keeps the others, and checks all.
    ///
    /// # Errors
    /// When a circuit is not the pinned one.
    pub fn make(profile: Profile, cache: &Cache, done: &dyn Fn(usize)) -> Result<Self, PinError> {
        for (gate, built, pinned) in pinned::gates() {
            if built != pinned {
                return Err(PinError::Gate { gate, built, pinned });
            }
        }
        let set = Self::assemble(profile, done, &Pinned { profile, cache })?;
        Ok(Self { cache: cache.clone(), ..set })
    }

    /// Builds the circuits without cache or pins: for making the pins.
    #[must_use]
    pub fn build_unchecked(profile: Profile) -> Self {
        match Self::assemble(profile, &|_| (), &Fresh) {
            Ok(set) => set,
            Err(never) => match never {},
        }
    }

    fn assemble<S: Source>(profile: Profile, done: &dyn Fn(usize), source: &S) -> Result<Self, S::Error> {
        let shape = SegmentShape::FULL;
        let draft = SegmentTarget::draft(Layer::Segment.config(profile), shape, Clauses::ALL);
        let segment = source.circuit(Layer::Segment, draft)?;
        done(1);
        let mut levels: Vec<AggregationCircuit> = Vec::with_capacity(LEVELS);
        for level in 1..=LEVELS {
            let layer = Layer::Aggregation(level);
            let child = levels.last().map_or(&segment.circuit, |below| &below.circuit);
            let draft =
                AggregationTarget::draft(layer.config(profile), child, shape.bundles_depth + level - 1, Clauses::ALL);
            levels.push(source.circuit(layer, draft)?);
            done(1 + level);
        }
        let draft = BatchTarget::draft(Layer::Batch.config(profile), &levels[LEVELS - 1].circuit, Clauses::ALL);
        let batch = source.circuit(Layer::Batch, draft)?;
        done(Self::STEPS);
        Ok(Self { profile, segment, levels, batch, cache: Cache::none(), no_ops: [const { OnceLock::new() }; LEVELS] })
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Rows that the parts of a segment take.
    #[must_use]
    pub const fn segment_rows(&self) -> SegmentRows {
        self.segment.target.spent
    }

    /// Each layer with its circuit and its rows before padding, from the bottom up.
    pub fn layers(&self) -> impl Iterator<Item = (Layer, &Circuit, usize)> {
        let segment = (&self.segment.circuit, self.segment.used_rows);
        let levels = self.levels.iter().map(|level| (&level.circuit, level.used_rows));
        let batch = (&self.batch.circuit, self.batch.used_rows);
        let circuits = std::iter::once(segment).chain(levels).chain(std::iter::once(batch));
        Layer::all().zip(circuits).map(|(layer, (circuit, used))| (layer, circuit, used))
    }
}

//! All circuits of a profile, built or loaded once per process, and checked against their pins.

use crate::aggregation::AggregationTarget;
use crate::batch_circuit::BatchTarget;
use crate::cache::Cache;
use crate::compiled::{Compiled, Draft};
use crate::final_circuit::{FinalCircuit, FinalTarget};
use crate::fingerprint::Fingerprint;
use crate::plonk::{Common, Config, Proof};
use crate::segment::{SegmentCircuit, SegmentRows, SegmentShape, SegmentTarget};
use crate::{AggregationCircuit, BatchCircuit, Clauses, LEVELS, Layer, Profile, pinned};
use std::convert::Infallible;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The circuits of a profile, from the segment to the last proof, each with the key of the one below compiled in.
#[derive(Debug)]
pub struct CircuitSet {
    pub(crate) profile: Profile,
    pub(crate) segment: SegmentCircuit,
    pub(crate) levels: Vec<AggregationCircuit>,
    pub(crate) batch: BatchCircuit,
    pub(crate) last: FinalCircuit,
    /// Where no-op proofs are kept.
    pub(crate) cache: Cache,
    /// The no-op proof of the segment circuit and of each level but the last, made when first needed.
    pub(crate) no_ops: [OnceLock<Proof>; LEVELS],
}

/// What can be said of a layer's circuit, whatever its hashes.
#[derive(Debug, Clone, Copy)]
pub struct Built<'a> {
    /// Which layer.
    pub layer: Layer,
    /// Gates, parameters and shape.
    pub common: &'a Common,
    /// Rows before padding.
    pub used_rows: usize,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

impl<'a> Built<'a> {
    fn new<T, K: Config>(layer: Layer, compiled: &'a Compiled<T, K>) -> Self {
        let circuit = &compiled.circuit;
        Self {
            layer,
            common: &circuit.common,
            used_rows: compiled.used_rows,
            fingerprint: Fingerprint::of_circuit(circuit),
        }
    }
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
    fn circuit<T, K: Config>(&self, layer: Layer, draft: Draft<T, K>) -> Result<Compiled<T, K>, Self::Error>;
}

/// From the builder, unchecked.
struct Fresh;

impl Source for Fresh {
    type Error = Infallible;

    fn circuit<T, K: Config>(&self, _: Layer, draft: Draft<T, K>) -> Result<Compiled<T, K>, Infallible> {
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

    fn circuit<T, K: Config>(&self, layer: Layer, draft: Draft<T, K>) -> Result<Compiled<T, K>, PinError> {
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
    pub const STEPS: usize = LEVELS + 3;

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
        done(LEVELS + 2);
        let draft = FinalTarget::draft(Layer::Final.config(profile), &batch.circuit, Clauses::ALL);
        let last = source.circuit(Layer::Final, draft)?;
        done(Self::STEPS);
        Ok(Self {
            profile,
            segment,
            levels,
            batch,
            last,
            cache: Cache::none(),
            no_ops: [const { OnceLock::new() }; LEVELS],
        })
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The circuit of the last layer.
    #[must_use]
    pub const fn last(&self) -> &FinalCircuit {
        &self.last
    }

    /// Rows that the parts of a segment take.
    #[must_use]
    pub const fn segment_rows(&self) -> SegmentRows {
        self.segment.target.spent
    }

    /// Each layer's circuit, from the bottom up.
    pub fn layers(&self) -> impl Iterator<Item = Built<'_>> {
        let built = [Built::new(Layer::Segment, &self.segment)].into_iter();
        let levels = self.levels.iter().enumerate();
        built
            .chain(levels.map(|(index, level)| Built::new(Layer::Aggregation(index + 1), level)))
            .chain([Built::new(Layer::Batch, &self.batch), Built::new(Layer::Final, &self.last)])
    }
}

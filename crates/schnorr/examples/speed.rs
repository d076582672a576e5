//! How fast signing and verifying are here, beside the Poseidon permutations of the same machine at the same time.
//!
//! `cargo run --release -p cairn-schnorr --example speed [threads]`

use cairn_goldilocks::{WIDTH, poseidon};
use cairn_schnorr::point::{Affine, Point};
use cairn_schnorr::quintic::Quintic;
use cairn_schnorr::{PublicKey, Signature, SigningKey};
use rand::{SeedableRng, rngs::StdRng};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long each operation is repeated, five times; the best counts, since everything else is other load.
const SLICE: Duration = Duration::from_millis(300);
const SLICES: usize = 5;

fn main() {
    let threads = match std::env::args().nth(1).map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(threads)) if (1..=1024).contains(&threads) => threads,
        Some(_) => {
            eprintln!("the one argument is a number of threads, 1 to 1024");
            std::process::exit(2);
        }
    };
    println!(
        "{}, {} cores; {threads} thread(s)",
        processor(),
        std::thread::available_parallelism().map_or(0, Into::into)
    );

    let keys: Vec<SigningKey> = (0..256).map(|seed| SigningKey::generate(&mut StdRng::seed_from_u64(seed))).collect();
    let messages: Vec<[u64; 4]> = (0..256).map(|n| [n, n * n, !n >> 1, 7]).collect();
    let signatures: Vec<Signature> = keys.iter().zip(&messages).map(|(key, message)| key.sign(message)).collect();
    let public: Vec<PublicKey> = keys.iter().map(SigningKey::public_key).collect();
    let elements: Vec<Quintic> = signatures.iter().map(Signature::commitment).collect();
    let points: Vec<Point> = public.iter().map(|key| key.point().into()).collect();
    let affine: Vec<Affine> = public.iter().map(PublicKey::point).collect();

    let floor = measure(threads, |n| {
        let mut state = [n as u64; WIDTH];
        poseidon(&mut state);
        black_box(state);
    });
    report("Poseidon permutation (the floor)", floor, floor);
    report("sign", measure(threads, |n| keep(keys[n].sign(&messages[n]))), floor);
    let verify = |n: usize| public[n].verify(&messages[n], &signatures[n]).expect("signed above");
    report("verify, key decoded before", measure(threads, verify), floor);
    let whole = |n: usize| {
        let key = PublicKey::decode(public[n].words()).expect("a key");
        let signature = Signature::from_bytes(&signatures[n].to_bytes()).expect("a signature");
        key.verify(&messages[n], &signature).expect("signed above");
    };
    report("verify, from 40 + 32 + 80 bytes", measure(threads, whole), floor);
    report("decode a point", measure(threads, |n| keep(Affine::decode(elements[n]))), floor);
    let next = |n: usize| (n + 1) % 256;
    report("quintic product", measure(threads, |n| keep(elements[n] * elements[next(n)])), floor);
    report("quintic square", measure(threads, |n| keep(elements[n].square())), floor);
    report("quintic inverse", measure(threads, |n| keep(elements[n].invert_or_zero())), floor);
    report("five doublings", measure(threads, |n| keep(points[n].double_times(5))), floor);
    report("addition", measure(threads, |n| keep(points[n] + points[next(n)])), floor);
    report("mixed addition", measure(threads, |n| keep(points[n] + affine[next(n)])), floor);
}

/// Has `value` computed.
fn keep<T>(value: T) {
    black_box(value);
}

/// Operations per second of all threads together.
fn measure(threads: usize, operation: impl Fn(usize) + Sync) -> f64 {
    let slice = || {
        let start = Instant::now();
        let mut done = 0_u64;
        while start.elapsed() < SLICE {
            (0..256).for_each(&operation);
            done += 256;
        }
        done as f64 / start.elapsed().as_secs_f64()
    };
    (0..SLICES)
        .map(|_| {
            std::thread::scope(|scope| {
                let running: Vec<_> = (0..threads).map(|_| scope.spawn(slice)).collect();
                running.into_iter().map(|thread| thread.join().expect("no operation panics")).sum::<f64>()
            })
        })
        .fold(0.0, f64::max)
}

fn report(name: &str, rate: f64, floor: f64) {
    println!("{name:34} {rate:>14.0} /s {:>10.3} us  {:>8.3} permutations", 1e6 / rate, floor / rate);
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

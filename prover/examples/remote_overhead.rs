//! What proving by a worker costs over proving here: the same `dev` batch of two segments both ways, coordinator and worker in
//! one process over a loopback connection, with the processor time of the whole process. Prints a table.

use cairn_circuits::{CircuitSet, Layer, SegmentInputs};
use cairn_prover::bench::Sample;
use cairn_prover::remote::{Connection, Coordinator, Event, Settings, Worker, serve};
use cairn_prover::{LocalProver, Options, Profile, Prover};
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Two full segments.
const SAMPLE: Sample = Sample { receipts: 64 * 256, bundle_receipts: 256 };

fn prover() -> Result<LocalProver, Box<dyn Error>> {
    Ok(LocalProver::start(Options { threads: NonZeroUsize::new(1), ..Options::new(Profile::Dev) }, &())?)
}

/// Processor seconds of this process, from `/proc/self/stat`, where a tick is 10 ms.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let (batch, before) = SAMPLE.batch()?;
    let local = prover()?;
    // Makes the no-op proofs if the cache has none.
    let (smallest, state) = Sample { receipts: 1, bundle_receipts: 1 }.batch()?;
    local.prove(&smallest, &state, &())?;

    let (clock, start) = (Instant::now(), processor());
    local.prove(&batch, &before, &())?;
    println!("local   {:6.2} s, {:6.2} s of processor time", clock.elapsed().as_secs_f64(), processor() - start);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let events = Arc::new(Mutex::new(Vec::new()));
    let (stop, noted) = (CancellationToken::new(), Arc::clone(&events));
    let settings = Settings { local: false, ..Settings::default() };
    let coordinator = Arc::new(Coordinator::start(prover()?, settings)?);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let connection = Connection::plain(&format!("http://{}", listener.local_addr()?));
    let (served, stopped) = (Arc::clone(&coordinator), stop.clone());
    runtime.spawn(async move { serve(&served, listener, None, None, stopped).await });
    let worker = Worker::new(prover()?, connection, "worker", move |event| {
        if let (Event::Proved { .. }, Ok(mut noted)) = (&event, noted.lock()) {
            noted.push(event);
        }
    })?;
    let stopped = stop.clone();
    runtime.spawn(async move { worker.run(&stopped).await });
    while coordinator.workers() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (clock, start) = (Instant::now(), processor());
    let proof = coordinator.prove(&batch, &before, &())?;
    println!("remote  {:6.2} s, {:6.2} s of processor time", clock.elapsed().as_secs_f64(), processor() - start);
    stop.cancel();

    println!("inputs  segment {} bytes at most", SegmentInputs::MAX_BYTES);
    for event in events.lock().map_err(|_| "a lock")?.iter() {
        if let Event::Proved { job, took, bytes, .. } = event {
            println!("proof   {job}: {bytes} bytes, {:.2} s", took.as_secs_f64());
        }
    }
    let circuits = CircuitSet::get(Profile::Dev, &|_| ())?;
    let clock = Instant::now();
    let read = circuits.read_proof(Layer::Final, &proof.bytes)?;
    let reading = clock.elapsed();
    circuits.verify_layer(Layer::Final, &read, &proof.statement.words())?;
    println!("check   reading {:.2} ms, with verifying {:.2} ms", ms(reading), ms(clock.elapsed()));
    Ok(())
}

fn ms(time: std::time::Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

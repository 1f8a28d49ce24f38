//! The write queue: one thread, one transaction and one fsync for all that wait together.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use redb::WriteTransaction;
use tokio::sync::{mpsc, oneshot, watch};

use super::database::OpenDatabase;
use super::guard::{Damaged, guarded};
use super::recovery::{Recovery, unavailable};
use super::storage;
use super::transaction::Tx;
use crate::error::{Error, Result};
use crate::telemetry::metrics::{Committed, StoreMetrics};

/// How many writes share a transaction at most, so that none waits long for its fsync.
const BATCH: usize = 256;
/// How many writes wait in the queue before callers wait for a place in it.
const QUEUE: usize = 4096;

/// Whether a write may use the reserve of a full disk: only what frees space, revokes, or lets someone in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveUse {
    /// It is refused when the disk is full.
    Never,
    /// It goes on.
    Allowed,
}

/// A write that waits for its turn: run as often as needed, answered once.
trait Job: Send {
    fn run(&mut self, tx: &Tx<'_>) -> Result<()>;
    fn reserve_use(&self) -> ReserveUse;
    fn answer(self: Box<Self>, outcome: Result<()>);
}

struct Closure<F, T> {
    work: F,
    reserve_use: ReserveUse,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&Tx<'_>) -> Result<T> + Send> Job for Closure<F, T> {
    fn run(&mut self, tx: &Tx<'_>) -> Result<()> {
        self.value = Some((self.work)(tx)?);
        Ok(())
    }

    fn reserve_use(&self) -> ReserveUse {
        self.reserve_use
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let value = self.value.ok_or_else(|| Error::internal("a write was answered before it ran"));
        // A caller that went away needs no answer: what it asked for is done, as it is on a lost connection.
        let _gone = self.reply.send(outcome.and(value));
    }
}

/// The queue's sending end.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    recovery: Recovery,
    commits: watch::Receiver<()>,
}

impl Writer {
    /// Starts the thread. It ends when the last clone of the writer is gone.
    pub fn start(database: Arc<OpenDatabase>, metrics: StoreMetrics) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let recovery = Recovery::of(&database);
        let (committed, commits) = watch::channel(());
        let thread = Thread { database, recovery: recovery.clone(), committed, metrics };
        std::thread::Builder::new().name("store-writer".into()).spawn(move || thread.work_off(queue))?;
        Ok(Self { jobs, recovery, commits })
    }

    /// Whether the store takes writes, and if not, what happens next.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.clone()
    }

    pub async fn run<T, F>(&self, reserve_use: ReserveUse, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Closure { work, reserve_use, value: None, reply });
        self.jobs.send(job).await.map_err(|_| self.recovery.refusal())?;
        answer.await.map_err(|_| self.recovery.refusal())?
    }

    pub fn run_blocking<T, F>(&self, reserve_use: ReserveUse, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Closure { work, reserve_use, value: None, reply });
        self.jobs.blocking_send(job).map_err(|_| self.recovery.refusal())?;
        answer.blocking_recv().map_err(|_| self.recovery.refusal())?
    }
}

struct Thread {
    database: Arc<OpenDatabase>,
    recovery: Recovery,
    committed: watch::Sender<()>,
    metrics: StoreMetrics,
}

/// A job and how its last run ended.
struct Ran {
    job: Box<dyn Job>,
    outcome: Result<()>,
}

impl Thread {
    fn work_off(self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
            let mut batch = std::mem::take(&mut waiting);
            while !batch.is_empty() {
                batch = self.run(batch);
            }
        }
    }

    /// Runs a batch in one transaction, answers what is settled, and returns what has to run again.
    fn run(&self, batch: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        if !self.recovery.is_writable() {
            answer_all(batch, || self.recovery.refusal());
            return Vec::new();
        }
        if let Err(cause) = self.database.expect_in_place() {
            answer_all(batch, || not_in_place(&cause));
            return Vec::new();
        }
        let is_full = self.database.reserve().is_short();
        let tx = match self.database.begin_write() {
            Ok(tx) => tx,
            Err(error) => {
                self.close(batch, &error);
                return Vec::new();
            }
        };
        let mut changed = false;
        let mut ran: Vec<Ran> = Vec::with_capacity(batch.len());
        let mut batch = batch.into_iter();
        while let Some(mut job) = batch.next() {
            let may_put = !is_full || job.reserve_use() == ReserveUse::Allowed;
            let part = Tx::of(&tx, may_put);
            let outcome = run_job(job.as_mut(), &part);
            if outcome.is_err() && part.has_changed() {
                // It already wrote something: the transaction goes, the others run again without it.
                let _nothing_stays = guarded(|| tx.abort().map_err(storage));
                job.answer(outcome);
                return ran.into_iter().map(|ran| ran.job).chain(batch).collect();
            }
            changed |= part.has_changed();
            ran.push(Ran { job, outcome });
        }
        let committed =
            if changed { self.commit(tx, ran.len()) } else { guarded(|| tx.abort().map_err(storage)) };
        let moved = if changed { self.database.expect_in_place().err() } else { None };
        match (committed, moved) {
            (Ok(()), None) => ran.into_iter().for_each(|ran| ran.job.answer(ran.outcome)),
            (Ok(()), Some(cause)) => {
                answer_all(ran.into_iter().map(|ran| ran.job), || moved_meanwhile(&cause));
            }
            (Err(error), _) => self.close(ran.into_iter().map(|ran| ran.job).collect(), &error),
        }
        Vec::new()
    }

    /// Commits what so many writes changed together.
    fn commit(&self, tx: WriteTransaction, writes: usize) -> Result<()> {
        let started = Instant::now();
        let committed = guarded(|| tx.commit().map_err(storage));
        let result = if committed.is_ok() { Committed::Done } else { Committed::Failed };
        self.metrics.committed(result, writes, started.elapsed());
        if committed.is_ok() {
            self.committed.send_replace(());
        }
        committed
    }

    /// Nobody knows what of a failed commit is on the disk, so none of it is answered as done.
    fn close(&self, batch: Vec<Box<dyn Job>>, error: &Error) {
        self.recovery.begin(error);
        answer_all(batch, Recovery::unknown_outcome);
    }
}

fn answer_all(jobs: impl IntoIterator<Item = Box<dyn Job>>, error: impl Fn() -> Error) {
    jobs.into_iter().for_each(|job| job.answer(Err(error())));
}

/// The answer for a write to a database that is no longer where it was opened: it would be lost.
fn not_in_place(cause: &io::Error) -> Error {
    unavailable(
        "The server takes no changes, because its database was moved away or replaced while it ran. Its administrator has to put it back, or restart the server.",
    )
    .caused_by(cause.to_string())
}

/// The answer for a write during which the same happened.
fn moved_meanwhile(cause: &io::Error) -> Error {
    unavailable(
        "The server's database was moved away or replaced while this was written. See whether it was done before you try again.",
    )
    .caused_by(cause.to_string())
}

fn run_job(job: &mut dyn Job, tx: &Tx<'_>) -> Result<()> {
    let outcome = guarded(|| job.run(tx));
    let cause = outcome.as_ref().err().and_then(Error::cause);
    if cause.and_then(|cause| cause.downcast_ref::<Damaged>()).is_some() {
        // Nobody knows what it had changed when it panicked.
        tx.mark_changed();
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::disk::LocalDisk;
    use crate::core::store::reserve::Reserve;
    use crate::error::Code;
    use redb::{ReadableTable, TableDefinition};

    const NUMBERS: TableDefinition<u64, u64> = TableDefinition::new("numbers");

    type Work = Box<dyn FnMut(&Tx<'_>) -> Result<u64> + Send>;

    fn writer() -> (tempfile::TempDir, Arc<OpenDatabase>, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        std::fs::File::create(&path).unwrap();
        let reserve = Reserve::open(Arc::new(LocalDisk), dir.path(), 1 << 20).unwrap();
        let database = OpenDatabase::open(&path, 1 << 20, Arc::new(LocalDisk), reserve).unwrap();
        let database = Arc::new(database);
        let writer = Writer::start(Arc::clone(&database), StoreMetrics::unread()).unwrap();
        (dir, database, writer)
    }

    fn numbers(database: &OpenDatabase) -> Vec<u64> {
        let tx = database.begin_read().unwrap();
        let table = tx.open_table(NUMBERS).unwrap();
        table.iter().unwrap().map(|entry| entry.unwrap().0.value()).collect()
    }

    /// Queues `jobs` while the thread is busy, so that they share a batch, and returns their answers.
    async fn together(writer: &Writer, jobs: Vec<Work>) -> Vec<Result<u64>> {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let blocker = writer.clone();
        let busy = tokio::spawn(async move {
            blocker
                .run(ReserveUse::Never, move |_| {
                    let _released = held.recv();
                    Ok(())
                })
                .await
        });
        tokio::task::yield_now().await;
        let tasks: Vec<_> = jobs
            .into_iter()
            .map(|job| {
                let writer = writer.clone();
                tokio::spawn(async move { writer.run(ReserveUse::Never, job).await })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(release);
        busy.await.unwrap().unwrap();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn a_write_that_fails_or_panics_leaves_no_trace_and_the_others_stay() {
        let (_dir, db, writer) = writer();
        let put = |number: u64| move |tx: &Tx<'_>| tx.put(NUMBERS, number, number).map(|()| number);
        let first = put(1);
        let last = put(4);
        let answers = together(
            &writer,
            vec![
                Box::new(move |tx| first(tx)),
                Box::new(|tx| {
                    tx.put(NUMBERS, 2, 2)?;
                    Err(Error::bad_input("no"))
                }),
                Box::new(|tx| {
                    tx.put(NUMBERS, 3, 3)?;
                    panic!("no")
                }),
                Box::new(move |tx| last(tx)),
            ],
        )
        .await;
        let codes: Vec<_> = answers.iter().map(|answer| answer.as_ref().err().map(Error::code)).collect();
        assert_eq!(codes, [None, Some(Code::BadUserInput), Some(Code::Internal), None]);
        assert_eq!(numbers(&db), [1, 4]);
    }

    #[tokio::test]
    async fn a_write_sees_what_those_before_it_wrote() {
        let (_dir, _db, writer) = writer();
        let count = || -> Work { Box::new(|tx| tx.next("n")) };
        let mut answers: Vec<u64> = together(&writer, (0..5).map(|_| count()).collect())
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        answers.sort_unstable();
        assert_eq!(answers, [1, 2, 3, 4, 5]);
    }
}

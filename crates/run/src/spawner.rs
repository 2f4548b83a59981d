//! One thread that starts every child and never ends.
//!
//! The kernel's parent-death signal fires when the *thread* that forked ends, not the process. A child
//! started from a worker thread would die with that worker, so all are started here.

use std::io;
use std::os::unix::process::CommandExt;
use std::process;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use rustix::process::{Signal, set_parent_process_death_signal, setsid};

/// Whether a child ends with the process that started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
    /// Killed by the kernel when the owner dies.
    Owned,
    /// In a session of its own, to outlive the owner.
    Detached,
}

struct Job {
    command: process::Command,
    reply: Sender<io::Result<process::Child>>,
}

pub(crate) fn spawn(mut command: process::Command, bond: Bond) -> io::Result<process::Child> {
    bind(&mut command, bond);
    let (reply, answer) = channel();
    let queue = spawner().lock().unwrap_or_else(PoisonError::into_inner);
    queue.send(Job { command, reply }).map_err(|_| io::Error::other("the spawner thread is gone"))?;
    drop(queue);
    answer.recv().map_err(|_| io::Error::other("the spawner thread is gone"))?
}

fn spawner() -> &'static Mutex<Sender<Job>> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (queue, jobs) = channel::<Job>();
        thread::spawn(move || {
            for mut job in jobs {
                // The caller may have given up meanwhile; then nobody wants the answer.
                drop(job.reply.send(job.command.spawn()));
            }
        });
        Mutex::new(queue)
    })
}

#[expect(unsafe_code, reason = "pre_exec: both calls are async-signal-safe and touch no memory of ours")]
fn bind(command: &mut process::Command, bond: Bond) {
    let prepare = move || match bond {
        Bond::Owned => Ok(set_parent_process_death_signal(Some(Signal::KILL))?),
        Bond::Detached => setsid().map(drop).map_err(io::Error::from),
    };
    // SAFETY: `prepare` only makes one system call; it neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(prepare);
    }
}

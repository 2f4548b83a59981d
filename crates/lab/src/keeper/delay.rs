//! A slow line: the host's cable leaves the bridge, and every frame waits a while in a proxy of ours.
//!
//! The kernel here has no netem. So the cable goes into a small bridge of its own with a tap on it, a
//! second tap sits on the lab's bridge, and a thread for each direction carries frames from one to the
//! other, each after its delay. TCP sees a long line, with its own windows and acknowledgements.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::net::{BRIDGE, ip};

/// The largest frame: the bridge's MTU of 1500 with its Ethernet header, and room for a tag.
const FRAME: usize = 1600;
/// Frames in flight in one direction; what comes beyond is dropped, as a router does.
const IN_FLIGHT: usize = 50_000;

/// A bridge on which every frame to and from the lab's bridge is delayed; it goes when this is dropped.
pub(super) struct Delay {
    near: String,
    far: String,
    own: String,
    stop: Arc<AtomicBool>,
}

impl Delay {
    /// A bridge for the host at `index`, `ms` away in each direction.
    pub(super) fn start(index: usize, ms: u32) -> Result<Self> {
        let (near, far, own) = (format!("near{index}"), format!("far{index}"), format!("slow{index}"));
        let host_side = Arc::new(tap(&near)?);
        let lab_side = Arc::new(tap(&far)?);
        ip(&["link", "add", &own, "type", "bridge"])?;
        for (device, bridge) in [(&near, own.as_str()), (&far, BRIDGE)] {
            ip(&["link", "set", device, "master", bridge])?;
            ip(&["link", "set", device, "up"])?;
        }
        // It only passes frames on. With ARP it would answer for the keeper's address at once, and the way to
        // the keeper would be short.
        ip(&["link", "set", &own, "arp", "off", "addrgenmode", "none", "up"])?;
        let stop = Arc::new(AtomicBool::new(false));
        let delay = Duration::from_millis(ms.into());
        carry(host_side.clone(), lab_side.clone(), delay, stop.clone());
        carry(lab_side, host_side, delay, stop.clone());
        Ok(Self { near, far, own, stop })
    }

    /// The bridge for the host's cable.
    pub(super) fn bridge(&self) -> &str {
        &self.own
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for device in [&self.near, &self.far, &self.own] {
            // What is gone already is as it should be.
            let _gone = ip(&["link", "delete", device]);
        }
    }
}

fn tap(name: &str) -> Result<SyncDevice> {
    let device = DeviceBuilder::new().name(name).layer(Layer::L2).build_sync();
    device.with_context(|| format!("cannot make the tap interface {name}"))
}

/// Frames on their way, each with the moment it arrives.
#[derive(Default)]
struct Line {
    frames: Mutex<VecDeque<(Instant, Vec<u8>)>>,
    arrived: Condvar,
}

fn carry(from: Arc<SyncDevice>, to: Arc<SyncDevice>, delay: Duration, stop: Arc<AtomicBool>) {
    let line = Arc::new(Line::default());
    let (sending, stopped) = (line.clone(), stop.clone());
    thread::spawn(move || receive(&from, &line, delay, &stop));
    thread::spawn(move || deliver(&to, &sending, &stopped));
}

/// Ends with its tap: a deleted interface fails every read.
fn receive(from: &SyncDevice, line: &Line, delay: Duration, stop: &AtomicBool) {
    let mut frame = [0; FRAME];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = from.recv(&mut frame) else { break };
        let mut frames = line.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() < IN_FLIGHT {
            frames.push_back((Instant::now() + delay, frame[..length].to_vec()));
        }
        drop(frames);
        line.arrived.notify_one();
    }
    stop.store(true, Ordering::Relaxed);
    line.arrived.notify_one();
}

fn deliver(to: &SyncDevice, line: &Line, stop: &AtomicBool) {
    while let Some((due, frame)) = next(line, stop) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        match to.send(&frame) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

fn next(line: &Line, stop: &AtomicBool) -> Option<(Instant, Vec<u8>)> {
    let mut frames = line.frames.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(frame) = frames.pop_front() {
            return Some(frame);
        }
        frames = line.arrived.wait(frames).unwrap_or_else(PoisonError::into_inner);
    }
}

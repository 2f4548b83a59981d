//! Passwords of this run: asked for once, remembered until the end, forgotten when they were wrong.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use order::HostName;
use ssh::Secret;

use crate::{Ask, PasswordRequest};

/// A password as it is kept; overwritten when it is dropped, and never shown.
struct Kept(Vec<u8>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.fill(0);
        // So that the compiler does not take the zeros for a store that nobody reads.
        black_box(&self.0);
    }
}

/// The passwords of one host.
pub(crate) struct Passwords {
    host: HostName,
    ask: Arc<dyn Ask>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By address, which names the user.
    kept: BTreeMap<String, Kept>,
    was_wrong: bool,
}

impl Passwords {
    pub(crate) fn new(host: HostName, ask: Arc<dyn Ask>) -> Self {
        Self { host, ask, inner: Mutex::default() }
    }

    /// The password that ssh wants for sudo.
    pub(crate) fn give(&self, request: &ssh::PasswordRequest) -> Option<Secret> {
        // Others who need it for the same host wait for the answer.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let address = request.address.to_string();
        if !inner.kept.contains_key(&address) {
            let again = inner.was_wrong;
            let host = self.host.clone();
            let question =
                PasswordRequest { host, address: address.clone(), command: request.command.clone(), again };
            let password = self.ask.password(&question)?;
            inner.kept.insert(address.clone(), Kept(password.into_bytes()));
        }
        let kept = inner.kept.get(&address)?;
        String::from_utf8(kept.0.clone()).ok().map(Secret::new)
    }

    /// The one that was given was wrong.
    pub(crate) fn forget(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.kept.clear();
        inner.was_wrong = true;
    }
}

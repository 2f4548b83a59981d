//! From a fleet's settings to ssh's: how a host is reached, and as whom.

use fleet::{Elevation as Written, Member};
use report::{Cause, CauseKind};
use ssh::{Elevation, Options, Prompts, Reach};

/// How this member is reached.
///
/// # Errors
/// If ssh would not take an address or an option.
pub(crate) fn reach(member: &Member, may_ask: bool) -> Result<Reach, Cause> {
    let bad = |text: String| Cause::new(CauseKind::Ssh, text);
    let addresses: Result<Vec<ssh::Address>, _> =
        member.reach.addresses.iter().map(|address| address.to_string().parse()).collect();
    let addresses = addresses.map_err(|error: ssh::NotAnAddress| bad(error.to_string()))?;
    let options = member.reach.ssh_options.iter().flat_map(|option| ["-o".to_owned(), option.to_string()]);
    let options = Options::new(options).map_err(|error| bad(error.to_string()))?;
    let prompts = if may_ask { Prompts::Terminal } else { Prompts::Never };
    Ok(Reach { options, prompts, ..Reach::to(addresses) })
}

/// How the agent becomes root there. Root needs no help, and may have none.
pub(crate) fn elevation(member: &Member, address: &ssh::Address) -> Elevation {
    let user = match address {
        ssh::Address::Remote(remote) => remote.user(),
        ssh::Address::Local => rustix::process::geteuid().is_root().then_some("root"),
    };
    if user == Some("root") {
        return Elevation::None;
    }
    match member.reach.elevation {
        Written::Sudo => Elevation::Sudo,
        Written::Run0 => Elevation::Run0,
        Written::Doas => Elevation::Doas,
        Written::None => Elevation::None,
    }
}

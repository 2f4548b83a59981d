//! What to do about each kind of failure, in a sentence.

use order::HostName;
use report::CauseKind;

/// What to do next; none where the cause says all there is.
pub(crate) fn hint(kind: CauseKind, host: &HostName) -> Option<String> {
    let text = match kind {
        CauseKind::Evaluation => "with --show-trace Nix says where the error comes from".to_owned(),
        CauseKind::Build => format!("`lockstep build {host}` builds it again without touching the host"),
        CauseKind::Offline => format!("`lockstep deploy {host}` once the host is back"),
        CauseKind::Ssh => format!("try ssh by hand; `lockstep show {host}` lists the addresses and options"),
        CauseKind::Elevation => {
            format!("`lockstep show {host}` says how the agent becomes root; the user must be allowed to")
        }
        CauseKind::Agent => {
            "LOCKSTEP_AGENTS names directories with a lockstep-agent for each kind of machine".to_owned()
        }
        CauseKind::Architecture => {
            "the configuration's nixpkgs.hostPlatform is not what the host is".to_owned()
        }
        CauseKind::Space => "free space there: old generations first, then `nix-collect-garbage`".to_owned(),
        CauseKind::Transfer | CauseKind::Interrupted => {
            format!("`lockstep status {host}` tells where it stands; deploying again is safe")
        }
        CauseKind::Busy => {
            format!("`lockstep attach {host}` follows what goes on there, `lockstep abort {host}` ends it")
        }
        CauseKind::Stale => format!("`lockstep status {host}` shows what it runs now; then deploy again"),
        CauseKind::Activation | CauseKind::Units | CauseKind::Check => {
            "mend the configuration and deploy again; --no-rollback would keep the new system to look at"
                .to_owned()
        }
        CauseKind::Unconfirmed => {
            "the new system could not be reached in time; see its network, firewall, ssh and users".to_owned()
        }
        CauseKind::BootLoader => format!("`lockstep status {host}` shows what it would boot"),
        CauseKind::TakenOver => {
            format!("somebody switched the host meanwhile; `lockstep history {host}` tells more")
        }
        CauseKind::NotBack => format!(
            "look at its console and its power; in the boot menu an older generation can be chosen; `lockstep status \
             {host}` tells when it is back"
        ),
        CauseKind::Internal => "this is a defect of lockstep; please report it with the log".to_owned(),
        CauseKind::Refused | CauseKind::Aborted => return None,
    };
    Some(text)
}

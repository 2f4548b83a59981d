//! What must hold whatever a daemon says, one function for each part of what it may say.
//!
//! The fuzz targets call these with bytes that the fuzzer makes up, and the test `corpus` of crate `daemon`
//! with the bytes that are kept in `corpus/`. Each panics if its property does not hold.

use std::{
    collections::BTreeSet,
    io::{self, Cursor, Write as _},
    path::Path,
    sync::{Arc, Mutex},
};

use daemon::{
    AddPolicy, BuildMode, Client, ConnectError, ContentMethod, DerivedPath, Error, Field, GarbageAction,
    LogEvent, NarError, News, Options, ProtocolVersion, Stream, UploadError, limits,
};
use store::{
    hash::{Algorithm, Sha256},
    nar::Node,
    path_info::PathInfo,
    signature::{KeyName, SecretKey},
    store_path::{HashPart, StoreDir, StorePath},
};

/// The largest NAR that is asked for.
const NAR_LIMIT: u64 = 1 << 16;

/// A daemon may greet in any way: then the version is one that is spoken here, and the connection works or
/// says that it does not.
pub fn fuzz_greeting(data: &[u8]) {
    if let Ok(mut client) = connect(data.to_vec()) {
        let versions = ProtocolVersion::OLDEST..=ProtocolVersion::NEWEST;
        assert!(versions.contains(&client.peer().protocol));
        assert_plain(&client.peer().nix_version);
        ask(&mut client, 0);
    }
}

/// A daemon may answer anything to any question: an error says whether the connection can be used, and is
/// right.
///
/// The first byte chooses the version, the second the first question.
pub fn fuzz_answers(data: &[u8]) {
    let [version, question, says @ ..] = data else { return };
    let mut client = greeted(35 + version % 4, says);
    for question in (*question..=u8::MAX).take(4) {
        if !ask(&mut client, question) {
            break;
        }
    }
}

/// As [`fuzz_answers`], while something is uploaded.
pub fn fuzz_uploads(data: &[u8]) {
    let [kind, says @ ..] = data else { return };
    let mut client = greeted(38, says);
    let nar = [1; 100];
    let info = PathInfo::new(path(), Sha256::of(&nar), nar.len() as u64);
    let policy = AddPolicy { repair: false, check_signatures: true };
    let error = match kind % 4 {
        0 => client.add_nar(&info, policy, |sink| sink.write_all(&nar)).err(),
        1 => client.add_paths([&info, &info], policy, |_, sink| sink.write_all(&nar)).err(),
        2 => client.add_nar(&info, policy, |_| Err(io::Error::other("no"))).err(),
        _ => {
            let name = "a".parse().expect("a name");
            let method = ContentMethod::Nar(Algorithm::Sha256);
            client.add_content(&name, method, &BTreeSet::new(), |sink| sink.write_all(&nar)).err()
        }
    };
    let usable = error.as_ref().is_none_or(UploadError::connection_usable);
    assert_eq!(client.is_usable(), usable, "{error:?}");
}

/// A daemon may tell anything: what comes of it is plain text, and not much of it.
pub fn fuzz_messages(data: &[u8]) {
    let mut client = greeted(38, data);
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    client.on_log(move |event| heard.lock().expect("no panic").push(event));
    if let Err(error) = client.set_options(&Options::default())
        && let Some(said) = error.daemon()
    {
        assert!(said.traces.len() <= limits::KEPT_TRACES);
        said.traces.iter().chain([&said.message]).for_each(|text| assert_plain(text));
    }
    for event in told.lock().expect("no panic").iter() {
        texts(event).into_iter().for_each(assert_plain);
    }
}

/// A daemon may send anything as a NAR: what is passed on is one, or the sink hears that it is not.
pub fn fuzz_nar(data: &[u8]) {
    let mut client = greeted(38, &[&0x616c_7473_u64.to_le_bytes(), data].concat());
    let mut nar = Vec::new();
    match client.nar_from_path(&path(), NAR_LIMIT, &mut nar) {
        Ok(size) => {
            assert_eq!(size, nar.len() as u64);
            assert!(size <= NAR_LIMIT);
            assert!(Node::list(&nar).is_ok());
            assert!(client.is_usable());
        }
        Err(error) => {
            assert!(!error.connection_usable() && !client.is_usable());
            if let NarError::Format { .. } = error {
                assert!(Node::list(data).is_err());
            }
        }
    }
    assert!(data.starts_with(&nar));
}

/// Asks one thing, and whether more can be asked.
fn ask(client: &mut Client, question: u8) -> bool {
    let (path, paths) = (path(), BTreeSet::from([path()]));
    let wanted = [DerivedPath::Path(path.clone()), DerivedPath::all_outputs(path.clone())];
    let error = match question % 16 {
        0 => client.is_valid_path(&path).err(),
        1 => client.query_valid_paths(&paths, true).err(),
        2 => client.query_path_info(&path).err(),
        3 => client.query_path_from_hash_part(path.hash_part()).err(),
        4 => client.query_referrers(&path).err(),
        5 => client.ensure_path(&path).err(),
        6 => client.add_signatures(&path, &BTreeSet::from([key().sign(b"")])).err(),
        7 => client.add_temp_root(&path).err(),
        8 => client.add_indirect_root(Path::new("/a")).err(),
        9 => client.find_roots().err(),
        10 => client.collect_garbage(&GarbageAction::Delete(paths.clone())).err(),
        11 => client.set_options(&Options::default()).err(),
        12 => client.query_missing(&wanted).err(),
        13 => client.build_paths(&wanted, BuildMode::Normal).err(),
        14 => return read_nar(client),
        _ => client.query_path_infos(&paths).err(),
    };
    let usable = error.as_ref().is_none_or(Error::connection_usable);
    assert_eq!(client.is_usable(), usable, "{error:?}");
    if !usable {
        let refused = client.is_valid_path(&path);
        assert!(matches!(refused, Err(Error::GivenUp { .. })), "{refused:?}");
    }
    usable
}

fn read_nar(client: &mut Client) -> bool {
    let error = client.nar_from_path(&path(), NAR_LIMIT, &mut io::sink()).err();
    let usable = error.as_ref().is_none_or(NarError::connection_usable);
    assert_eq!(client.is_usable(), usable, "{error:?}");
    usable
}

/// A client of a daemon that says these bytes, whatever it hears.
fn connect(says: Vec<u8>) -> Result<Client, ConnectError> {
    let stream = Stream::new(Cursor::new(says), io::sink(), || {});
    Client::connect(stream, StoreDir::default())
}

/// As [`connect`], after a greeting with protocol 1.`minor`.
fn greeted(minor: u8, says: &[u8]) -> Client {
    let mut greeting = Vec::new();
    let mut number = |number: u64| greeting.write_all(&number.to_le_bytes()).expect("memory");
    number(0x6478_696f);
    number(0x100 + u64::from(minor));
    if minor >= 38 {
        number(0);
    }
    // No version of Nix, trusted, and nothing to tell.
    [0, 1, 0x616c_7473].into_iter().for_each(number);
    connect([&greeting, says].concat()).expect("a good greeting")
}

fn path() -> StorePath {
    StorePath::new(HashPart([0; HashPart::LEN]), "a.drv".parse().expect("a name"))
}

fn key() -> SecretKey {
    SecretKey::from_seed(KeyName::new("a").expect("a name"), &[0; 32])
}

/// All text of an event.
fn texts(event: &LogEvent) -> Vec<&str> {
    match event {
        LogEvent::Message(text) => vec![text],
        LogEvent::Start(activity) => {
            let fields = activity.fields.iter().filter_map(text);
            fields.chain([activity.text.as_str()]).collect()
        }
        LogEvent::Progress { news, .. } => match news {
            News::BuildLogLine(text)
            | News::PostBuildLogLine(text)
            | News::Phase(text)
            | News::UntrustedPath(text)
            | News::CorruptedPath(text)
            | News::FetchStatus(text) => vec![text],
            News::Other { fields, .. } => fields.iter().filter_map(text).collect(),
            News::Done { .. } | News::Expected { .. } => vec![],
        },
        LogEvent::Stop { .. } => vec![],
    }
}

fn text(field: &Field) -> Option<&str> {
    match field {
        Field::Text(text) => Some(text),
        Field::Number(_) => None,
    }
}

fn assert_plain(text: &str) {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    assert!(text.chars().all(is_plain), "{text:?}");
    assert!(text.len() as u64 <= limits::KEPT_TEXT, "{} bytes", text.len());
}

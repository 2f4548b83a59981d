//! Crate `ssh` on a line: started by a scenario on the operator host, it does what each line of its input says and
//! answers with one line, `ok ...` or `error ...`. `DOOR_PASSWORD` is what the operator would type.

use std::env;
use std::io::{self, BufRead, BufReader, PipeWriter, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ssh::{
    Channel, Connection, Control, Elevation, Error, Options, Program, Reach, Reader, Secret, Sockets, Way,
    Word,
};

struct Door {
    way: Way,
    sockets: Sockets,
    asked: u32,
    connection: Option<Connection>,
    reader: Option<BufReader<Reader>>,
    writer: Option<PipeWriter>,
    control: Option<Control>,
}

/// `door [-o OPTION]... ADDRESS...`, each option one argument of ssh.
fn main() -> Result<()> {
    let (mut options, mut addresses, mut arguments) = (Vec::new(), Vec::new(), env::args().skip(1));
    while let Some(argument) = arguments.next() {
        if argument == "-o" {
            options.extend(["-o".to_owned(), arguments.next().context("an option")?]);
        } else {
            addresses.push(argument.parse()?);
        }
    }
    let mut reach = Reach { options: Options::new(options)?, ..Reach::to(addresses) };
    reach.connect = Duration::from_secs(3);
    reach.silence = Duration::from_secs(3);
    let sockets = Sockets::create()?;
    let way = Way::new(reach, sockets.clone());
    let (connection, reader, writer, control) = (None, None, None, None);
    let mut door = Door { way, sockets, asked: 0, connection, reader, writer, control };
    for line in io::stdin().lines() {
        let answer = match door.obey(&line?) {
            Ok(said) => format!("ok {said}"),
            Err(error) => match error.downcast_ref::<Error>() {
                Some(kind) => format!("error {error:#} | {} | {kind:?}", kind.hint()),
                None => format!("error {error:#}"),
            },
        };
        writeln!(io::stdout(), "{}", answer.trim_end().replace('\n', " | "))?;
    }
    Ok(())
}

impl Door {
    fn obey(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["shared"] => self.connected(self.way.shared()?),
            ["fresh"] => self.connected(self.way.fresh()?),
            ["release"] => {
                self.way.close();
                self.connection = None;
                Ok(String::new())
            }
            ["alive"] => Ok(self.connection.as_ref().is_some_and(Connection::is_alive).to_string()),
            ["dir"] => Ok(self.sockets.path().display().to_string()),
            ["asked"] => Ok(self.asked.to_string()),
            ["output", elevation, words @ ..] => self.output(&program(elevation, words)?),
            ["open", greeting, elevation, words @ ..] => self.open(greeting, &program(elevation, words)?),
            ["quiet", elevation, words @ ..] => {
                let channel = self.connection()?.open_quiet(&program(elevation, words)?)?;
                self.hold(channel)
            }
            _ => self.talk(&words),
        }
    }

    fn connected(&mut self, connection: Connection) -> Result<String> {
        let address = connection.address().to_string();
        self.connection = Some(connection);
        Ok(address)
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().context("not connected")
    }

    fn output(&mut self, program: &Program) -> Result<String> {
        let connection = self.connection()?.clone();
        let done = connection.output(program, &mut |_| password(&mut self.asked))?;
        Ok(format!("{} {} {}", done.code, String::from_utf8_lossy(&done.stdout), done.stderr))
    }

    fn open(&mut self, greeting: &str, program: &Program) -> Result<String> {
        let connection = self.connection()?.clone();
        let channel = connection.open(program, greeting.as_bytes(), &mut |_| password(&mut self.asked))?;
        self.hold(channel)
    }

    fn hold(&mut self, channel: Channel) -> Result<String> {
        let Channel { reader, writer, control } = channel;
        self.reader = Some(BufReader::new(reader));
        self.writer = Some(writer);
        self.control = Some(control);
        Ok(String::new())
    }

    /// What is done to the program that was started last.
    fn talk(&mut self, words: &[&str]) -> Result<String> {
        let control = self.control.clone().context("no program")?;
        match words {
            ["say", words @ ..] => {
                let writer = self.writer.as_mut().context("the input is closed")?;
                writeln!(writer, "{}", words.join(" "))?;
                self.read()
            }
            ["read"] => self.read(),
            ["close"] => Ok(self.writer.take().map(drop).map(|()| String::new()).unwrap_or_default()),
            ["wait"] => Ok(control.wait()?.to_string()),
            ["check"] => Ok(control.check().map(|()| String::new())?),
            ["stderr"] => Ok(control.stderr()),
            ["hangup"] => {
                control.hang_up();
                Ok(String::new())
            }
            other => bail!("no such thing: {other:?}"),
        }
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.reader.as_mut().context("no program")?.read_line(&mut line)?;
        Ok(if read == 0 { "(end)".to_owned() } else { line })
    }
}

fn password(asked: &mut u32) -> Option<Secret> {
    *asked += 1;
    env::var("DOOR_PASSWORD").ok().map(Secret::new)
}

fn program(elevation: &str, words: &[&str]) -> Result<Program> {
    let all = [Elevation::None, Elevation::Sudo, Elevation::Run0, Elevation::Doas];
    let elevation = all.into_iter().find(|one| one.name() == elevation).context("no such elevation")?;
    let mut words = words.iter().map(|word| Word::new(*word)).collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(Program::new(words.next().context("a program")?, words).elevated(elevation))
}

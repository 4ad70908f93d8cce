//! What a case works with: a folder, a home, an S3 in memory, and the commands of case files over them.

#![expect(clippy::unit_arg, reason = "a command that prints nothing gives its unit to `quiet`")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use s3double::{Fault, S3Double};

use crate::fixtures::{fault, noise, pick, spelt, table, unhex};
use crate::mask::{mask_after, mask_ids, mask_words};
use crate::rights::policies;
use crate::served::Served;

/// One case's own world.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) s3: S3Double,
    /// Variables of the commands to come.
    variables: BTreeMap<String, String>,
    /// Connections that `run` and `plan` bind, by id.
    bound: BTreeMap<String, PathBuf>,
    /// The server, where one was started.
    pub(crate) served: Option<Served>,
    /// What listens for messages and gives out files.
    pub(crate) listener: Option<std::net::TcpListener>,
}

impl World {
    /// A fresh one, with an administrator of the store.
    pub(crate) fn new() -> World {
        let s3 = S3Double::start().expect("loopback can be bound");
        s3.add_admin("admin", "admin-secret");
        World {
            folder: tempfile::tempdir().expect("a folder can be made"),
            s3,
            variables: BTreeMap::new(),
            bound: BTreeMap::new(),
            served: None,
            listener: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Obeys one command; gives what is to be printed.
    pub(crate) fn obey(&mut self, words: &[String], block: &[String]) -> Result<String, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["file", name] => self.write(name, block),
            ["copy", "docs", from, to] => {
                let text = std::fs::read_to_string(repository().join("docs").join(from)).map_err(|e| e.to_string())?;
                std::fs::write(self.path(to), text).map_err(|e| e.to_string())?;
                Ok(String::new())
            }
            ["edit", name, old, new] => self.edit(name, old, new),
            ["bucket", name] => quiet(self.s3.create_bucket(name)),
            ["put", bucket, key, "rows", rows] => {
                quiet(self.s3.put(bucket, key, table(rows.parse().map_err(|_| "rows")?, 1).as_bytes()))
            }
            ["put", bucket, key, "rows", rows, "seed", seed] => {
                let text = table(rows.parse().map_err(|_| "rows")?, seed.parse().map_err(|_| "seed")?);
                quiet(self.s3.put(bucket, key, text.as_bytes()))
            }
            ["put", bucket, key, "text", text] => quiet(self.s3.put(bucket, key, text.as_bytes())),
            ["put", bucket, key, "lines"] => quiet(self.s3.put(bucket, key, (block.join("\n") + "\n").as_bytes())),
            ["put", bucket, key, "bytes", hex] => quiet(self.s3.put(bucket, key, &unhex(hex)?)),
            ["put", bucket, key, "file", name] => {
                let bytes = std::fs::read(repository().join(name)).map_err(|error| error.to_string())?;
                quiet(self.s3.put(bucket, key, &bytes))
            }
            ["begins", bucket, key, bytes] => {
                let stored = self.s3.get(bucket, key).ok_or("not there")?;
                let bytes: usize = bytes.parse().map_err(|_| "bytes")?;
                Ok(stored.body.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect())
            }
            ["take", bucket, key, name] => {
                let stored = self.s3.get(bucket, key).ok_or("not there")?;
                std::fs::write(self.path(name), &stored.body).map_err(|error| error.to_string())?;
                Ok(String::new())
            }
            ["equal", one, other] => {
                let read = |name: &str| std::fs::read(self.path(name)).map_err(|error| error.to_string());
                Ok(if read(one)? == read(other)? { "equal" } else { "different" }.into())
            }
            ["pick", name, columns @ ..] => Ok(pick(&self.read(name)?, columns).join("\n")),
            ["share", name, column, value] => {
                let cells = pick(&self.read(name)?, &[column]);
                Ok(format!("{} of {}", cells.iter().filter(|cell| cell == value).count(), cells.len()))
            }
            ["lines", name] => Ok(self.read(name)?.lines().count().to_string()),
            ["table", name, rows] => {
                std::fs::write(self.path(name), table(rows.parse().map_err(|_| "rows")?, 1))
                    .map_err(|e| e.to_string())?;
                Ok(String::new())
            }
            ["put", bucket, key, "old", rows] => {
                let then = "2001-02-03T04:05:06Z".parse().map_err(|_| "time")?;
                quiet(self.s3.put_at(bucket, key, table(rows.parse().map_err(|_| "rows")?, 9).as_bytes(), then))
            }
            ["many", bucket, pattern, count, "text", text] => {
                for index in 0..count.parse::<usize>().map_err(|_| "count")? {
                    self.s3.put(bucket, &pattern.replace('#', &format!("{index:05}")), text.as_bytes());
                }
                Ok(String::new())
            }
            ["delete", bucket, key] => quiet(self.s3.delete(bucket, key)),
            ["tree", bucket] => Ok(self.s3.keys(bucket).iter().map(|key| shown(key) + "\n").collect()),
            ["count", bucket] => Ok(self.s3.keys(bucket).len().to_string()),
            ["show", bucket, key] => self.show(bucket, key),
            ["same", one, key, other, other_key] => {
                let body = |bucket: &str, key: &str| self.s3.get(bucket, key).map(|stored| stored.body);
                Ok(if body(one, key).is_some() && body(one, key) == body(other, other_key) {
                    "same"
                } else {
                    "different"
                }
                .into())
            }
            ["metadata", bucket, key] => self.metadata(bucket, key),
            ["uploads", bucket] => Ok(self.s3.open_uploads(bucket).to_string()),
            ["user", name, rights @ ..] => self.user(name, rights),
            ["role", arn, "trusts", user, "external-id", id, "session", seconds, rights @ ..] => {
                self.role(arn, user, id, seconds.parse().ok(), rights)
            }
            ["role", arn, "trusts", user, "external-id", id, rights @ ..] => self.role(arn, user, id, None, rights),
            ["connect", id, "as", user] => self.connect(id, user),
            ["bind", id, file] => {
                let path = self.path(file);
                quiet(self.bound.insert((*id).into(), path))
            }
            ["unbind", id] => quiet(self.bound.remove(*id)),
            ["env", name, value] => {
                let value = value.replace("ENDPOINT", &self.s3.endpoint());
                quiet(self.variables.insert((*name).into(), value))
            }
            ["unset", name] => quiet(self.variables.remove(*name)),
            ["run", rest @ ..] => self.bound_command("run", rest),
            ["plan", rest @ ..] => self.bound_command("plan", rest),
            ["hansel", rest @ ..] => self.hansel(rest),
            ["fault", operation, key, times, action @ ..] => {
                let fault = Fault {
                    operation: (*operation).into(),
                    key_contains: (*key).replace('*', ""),
                    action: fault(action)?,
                    skip: 0,
                    times: times.parse().unwrap_or(usize::MAX),
                };
                quiet(self.s3.fault(fault))
            }
            ["mend"] => quiet(self.s3.clear_faults()),
            ["runs-count", rest @ ..] => {
                let said = self.bound_command("run", rest)?;
                let word =
                    |line: &&str| line.starts_with("run ") || line.starts_with("exit ") || line.starts_with("failed ");
                Ok(said.lines().filter(word).map(|line| format!("{line}\n")).collect())
            }
            ["differ", one, other] => Ok(self.differ(one, other)),
            ["big", bucket, key, bytes] => quiet(self.s3.put(bucket, key, &noise(bytes.parse().map_err(|_| "bytes")?))),
            ["append", name, other] => {
                let both = [self.read(name)?, self.read(other)?].concat();
                std::fs::write(self.path(name), both).map_err(|error| error.to_string())?;
                Ok(String::new())
            }
            ["cut", name, line] => {
                let kept: String =
                    self.read(name)?.lines().take_while(|l| l != line).map(|l| format!("{l}\n")).collect();
                std::fs::write(self.path(name), kept).map_err(|error| error.to_string())?;
                Ok(String::new())
            }
            ["overwrite", name, at, hex] => {
                let mut bytes = std::fs::read(self.path(name)).map_err(|error| error.to_string())?;
                let (at, new) = (at.parse::<usize>().map_err(|_| "a place")?, unhex(hex)?);
                bytes.get_mut(at..at + new.len()).ok_or("no such place")?.copy_from_slice(&new);
                std::fs::write(self.path(name), bytes).map(|()| String::new()).map_err(|error| error.to_string())
            }
            ["shorten", name, bytes] => {
                let file = std::fs::File::options().write(true).open(self.path(name)).map_err(|e| e.to_string())?;
                file.set_len(bytes.parse().map_err(|_| "bytes")?).map(|()| String::new()).map_err(|e| e.to_string())
            }
            ["create-as", alias, file] => self.create_as(alias, file),
            ["use", name, old, alias] => {
                let id = self.variables.get(*alias).cloned().ok_or("no such alias")?;
                self.edit(name, old, &id)
            }
            ["looks", bucket, key] => Ok(spelt(&self.s3.get(bucket, key).ok_or("not there")?.body)),
            ["last", "outputs"] => self.hansel(&["runs", "outputs", "LAST_RUN", "--out", "taken"]),
            ["on", operation, key, "expire"] => {
                let (operation, key) = (operation.to_string(), key.to_string());
                let once = std::sync::atomic::AtomicBool::new(false);
                self.s3.on_request(move |s3, request| {
                    if request.operation == operation
                        && request.key == key
                        && !once.swap(true, std::sync::atomic::Ordering::SeqCst)
                    {
                        s3.expire_sessions();
                    }
                });
                Ok(String::new())
            }
            ["on", operation, key, "put", rows] => self.replace_on(operation, key, rows),
            ["forget", "requests"] => quiet(self.s3.clear_requests()),
            ["requests"] => Ok(self.requests()),
            ["kept"] => {
                let runs = std::fs::read_dir(self.path("home/artifacts")).map(|entries| entries.count()).unwrap_or(0);
                Ok(format!("files of {runs} runs"))
            }
            ["secrets"] => self.secrets(),
            words => self.obey_served(words, block),
        }
    }

    /// Gives a variable a value, for commands and for `$NAME` in requests.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// A text with every `$NAME` replaced by its value, longest names first.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.variables
            .iter()
            .rev()
            .fold(text.to_string(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }

    fn write(&self, name: &str, block: &[String]) -> Result<String, String> {
        let text = block.join("\n").replace("ENDPOINT", &self.s3.endpoint()).replace("\\t", "\t") + "\n";
        std::fs::write(self.path(name), text).map_err(|error| error.to_string())?;
        Ok(String::new())
    }

    pub(crate) fn read(&self, name: &str) -> Result<String, String> {
        std::fs::read_to_string(self.path(name)).map_err(|error| error.to_string())
    }

    /// Keys whose bytes differ between two buckets, or that one of them lacks.
    fn differ(&self, one: &str, other: &str) -> String {
        let mut keys = self.s3.keys(one);
        keys.extend(self.s3.keys(other));
        keys.sort();
        keys.dedup();
        let body = |bucket: &str, key: &str| self.s3.get(bucket, key).map(|stored| stored.body);
        let total = keys.len();
        keys.retain(|key| body(one, key) != body(other, key));
        if keys.is_empty() {
            format!("{total} keys, the same bytes")
        } else {
            keys.iter().map(|key| shown(key) + "\n").collect()
        }
    }

    /// Makes a connection in the home; later commands may call it by the alias.
    fn create_as(&mut self, alias: &str, file: &str) -> Result<String, String> {
        let output =
            self.command(&["connections", "create", "--from-file", file]).output().map_err(|e| e.to_string())?;
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
        self.variables.insert(alias.into(), record["id"].as_str().unwrap_or_default().into());
        Ok(self.tidy(&String::from_utf8_lossy(&output.stdout)))
    }

    fn last_run(&self) -> Result<String, String> {
        let runs =
            self.command(&["--output", "json", "runs", "list", "--limit", "1"]).output().map_err(|e| e.to_string())?;
        let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).map_err(|e| e.to_string())?;
        Ok(runs[0]["id"].as_str().unwrap_or_default().to_string())
    }

    fn edit(&self, name: &str, old: &str, new: &str) -> Result<String, String> {
        let text = std::fs::read_to_string(self.path(name)).map_err(|error| error.to_string())?;
        if !text.contains(old) {
            return Err(format!("`{name}` does not contain `{old}`"));
        }
        std::fs::write(self.path(name), text.replace(old, new)).map_err(|error| error.to_string())?;
        Ok(String::new())
    }

    /// Header, rows and what kind of thing each column holds; never the synthetic values.
    fn show(&self, bucket: &str, key: &str) -> Result<String, String> {
        let Some(stored) = self.s3.get(bucket, key) else { return Ok("not there".into()) };
        let Ok(text) = std::str::from_utf8(&stored.body) else { return Ok(format!("{} bytes", stored.body.len())) };
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        Ok(format!("{header}\n{} rows, {}", lines.count(), stored.content_type))
    }

    fn metadata(&self, bucket: &str, key: &str) -> Result<String, String> {
        let Some(stored) = self.s3.get(bucket, key) else { return Ok("not there".into()) };
        let mut text: String = stored.metadata.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        if let Some(how) = &stored.server_side_encryption {
            text.push_str(&format!("encryption: {how} {}\n", stored.kms_key_id.as_deref().unwrap_or("")));
        }
        if let Some(acl) = &stored.acl {
            text.push_str(&format!("acl: {acl}\n"));
        }
        Ok(self.tidy(&text))
    }

    fn user(&self, name: &str, rights: &[&str]) -> Result<String, String> {
        let policies = policies(rights)?;
        let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
        self.s3.add_user(name, &format!("{name}-secret"), &policies)?;
        Ok(String::new())
    }

    fn role(&self, arn: &str, user: &str, id: &str, seconds: Option<u64>, rights: &[&str]) -> Result<String, String> {
        let id = if id == "GUID" { self.guid()? } else { id.to_string() };
        let policies = policies(rights)?;
        let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
        self.s3.add_role(arn, Some(user), Some(&id), &policies, seconds)?;
        Ok(String::new())
    }

    /// The guid of the home's default project.
    fn guid(&self) -> Result<String, String> {
        let output = self.command(&["projects", "search", "--query", "default"]).output().map_err(|e| e.to_string())?;
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
        found[0]["project_guid"].as_str().map(str::to_string).ok_or_else(|| "no default project".to_string())
    }

    fn connect(&mut self, id: &str, user: &str) -> Result<String, String> {
        let connection = serde_json::json!({
            "type": "s3",
            "name": format!("as-{user}"),
            "config": { "endpoint_url": self.s3.endpoint() },
            "credentials": { "access_key_id": user, "secret_access_key": format!("{user}-secret") },
        });
        let path = self.path(&format!("{id}.json"));
        std::fs::write(&path, connection.to_string()).map_err(|error| error.to_string())?;
        self.bound.insert(id.into(), path);
        Ok(String::new())
    }

    fn bound_command(&self, verb: &str, rest: &[&str]) -> Result<String, String> {
        let mut arguments: Vec<String> = vec![verb.into()];
        arguments.extend(rest.iter().map(|word| word.to_string()));
        // Small tables may or may not pass the gate: with a seed of its own a case is the same each time.
        if verb == "run" && !rest.contains(&"--seed") {
            arguments.extend(["--seed".to_string(), "5".to_string()]);
        }
        for (id, file) in &self.bound {
            arguments.extend(["--connection".to_string(), format!("{id}={}", file.display())]);
        }
        self.hansel(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The binary, with the case's home and none of the outer world's AWS settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HANSEL_HOME", self.path("home")).env("HOME", self.folder.path());
        command.envs(&self.variables);
        command
    }

    /// Runs the binary; gives what it printed, first stdout, then stderr, then an exit code other than 0.
    pub(crate) fn hansel(&self, arguments: &[&str]) -> Result<String, String> {
        let last = if arguments.contains(&"LAST_RUN") { self.last_run()? } else { String::new() };
        let known =
            |word: &&'_ str| self.variables.get(*word).cloned().unwrap_or_else(|| word.replace("LAST_RUN", &last));
        let arguments: Vec<String> = arguments.iter().map(known).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = self.command(&arguments).output().map_err(|error| error.to_string())?;
        Ok(self.said(&output, true))
    }

    /// What a word of a command stands for, where it is a variable.
    pub(crate) fn known(&self, word: &str) -> Option<String> {
        self.variables.get(word).cloned()
    }

    /// What a command said: stdout if that is wanted, stderr, and an exit code other than 0.
    pub(crate) fn said(&self, output: &std::process::Output, stdout: bool) -> String {
        let mut text = if stdout { self.tidy(&String::from_utf8_lossy(&output.stdout)) } else { String::new() };
        let mut said: Vec<String> =
            self.tidy(&String::from_utf8_lossy(&output.stderr)).lines().map(str::to_string).collect();
        // Units run side by side: the order in which they end is nobody's promise.
        said.retain(|line| !line.starts_with("info: ") || line.contains("project `") || line.contains("run wr_"));
        // How often training is looked at depends on how fast it is.
        said.retain(|line| !(line.contains("  trained ") && line.ends_with(" %")));
        let (mut units, rest): (Vec<String>, Vec<String>) = said.into_iter().partition(|line| {
            line.ends_with(": done")
                || line.contains(": data.")
                || line.contains(": gate.")
                || line.starts_with("warning: ")
        });
        units.sort();
        for line in rest.iter().chain(&units) {
            text.push_str(&format!("stderr: {line}\n"));
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => text.push_str(&format!("exit {code}\n")),
            None => text.push_str("killed\n"),
        }
        text
    }

    /// Masks what differs from run to run.
    pub(crate) fn tidy(&self, text: &str) -> String {
        let served = self.known("HANSEL_ENDPOINT").unwrap_or_else(|| "no server".into());
        let start = self.known("KEY").map_or_else(|| "no key".into(), |key| key.chars().take(8).collect::<String>());
        let mut text = text
            .replace(&start, "grtu#")
            .replace(&served, "SERVER")
            .replace(&self.s3.endpoint(), "ENDPOINT")
            .replace(&self.folder.path().display().to_string(), "DIR");
        for (prefix, letters) in [
            ("wr_", 27),
            ("proj_", 27),
            ("c_", 27),
            ("w_", 27),
            ("wt_", 27),
            ("user_", 27),
            ("file_", 27),
            ("gretel_", 32),
        ] {
            text = mask_ids(&text, prefix, letters);
        }
        for name in ["fidelity", "privacy"] {
            text = mask_after(&text, &format!("{name} "));
            text = mask_after(&text, &format!("{name}="));
            text = mask_after(&text, &format!("\"{name}\": \""));
        }
        text = mask_words(&text, |word| word.len() == 24 && word.bytes().all(|b| b.is_ascii_hexdigit()));
        text = mask_words(&text, |word| {
            word.len() > 19 && word.starts_with("20") && word.ends_with('Z') && word.contains('T')
        });
        text = mask_after(&text, "\"seed\": ");
        // Scores of two runs side by side.
        text = mask_after(&text, " then and ");
        mask_after(&text, "hansel-seed: ")
    }

    fn replace_on(&self, operation: &str, key: &str, rows: &str) -> Result<String, String> {
        let rows: usize = rows.parse().map_err(|_| "rows")?;
        let (operation, key) = (operation.to_string(), key.to_string());
        let once = std::sync::atomic::AtomicBool::new(false);
        self.s3.on_request(move |s3, request| {
            if request.operation == operation
                && request.key == key
                && !once.swap(true, std::sync::atomic::Ordering::SeqCst)
            {
                s3.put(&request.bucket, &key, table(rows, 77).as_bytes());
            }
        });
        Ok(String::new())
    }

    /// How often each operation was asked for.
    fn requests(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.s3.requests() {
            *counts.entry(request.operation).or_default() += 1;
        }
        counts.iter().map(|(operation, count)| format!("{operation} {count}\n")).collect()
    }

    /// Whether any secret of the case stands in any file of its home, in the clear.
    fn secrets(&self) -> Result<String, String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("home")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|error| error.to_string())? {
                let path = entry.map_err(|error| error.to_string())?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap_or_default();
                if bytes.windows(7).any(|window| window == b"-secret") {
                    found.push(path.display().to_string());
                }
            }
        }
        Ok(if found.is_empty() { "no secret in any file of the home".into() } else { found.join("\n") })
    }
}

fn quiet<T>(_: T) -> Result<String, String> {
    Ok(String::new())
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A key as one line: plain where it is, else as a JSON string.
fn shown(key: &str) -> String {
    let plain =
        key.chars().all(|c| !c.is_control()) && !key.starts_with([' ', '"', '$', '|', '#', '.']) && !key.ends_with(' ');
    if plain { key.to_string() } else { serde_json::to_string(key).expect("text is JSON") }
}

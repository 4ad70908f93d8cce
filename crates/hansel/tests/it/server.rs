//! The same promises against a real server that nobody here wrote. Runs where HANSEL_TEST_S3 names one (see
//! `tests/start-ministack.sh`); elsewhere a line says that it was left out.
//!
//! HANSEL_TEST_S3_IAM=no leaves out what needs users and roles, for servers whose identities are set in files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::EncodingType;

use crate::fixtures::{decode, table};
use crate::world::repository;

const SOURCE: &str = "my-analytics-bucket";
const DESTINATION: &str = "my-synthesized-analyics-bucket";

struct Server {
    endpoint: String,
    key: String,
    secret: String,
    client: Client,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

/// Keys of a user.
type Keys = (String, String);

impl Server {
    fn found() -> Option<Server> {
        let variable = |name: &str| std::env::var(name).ok();
        let endpoint = variable("HANSEL_TEST_S3")?;
        let key = variable("HANSEL_TEST_S3_KEY").unwrap_or_else(|| "test".into());
        let secret = variable("HANSEL_TEST_S3_SECRET").unwrap_or_else(|| "test".into());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&endpoint)
            .force_path_style(true)
            .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
            .credentials_provider(Credentials::new(&key, &secret, None, None, "test"))
            .build();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a folder can be made");
        Some(Server { endpoint, key, secret, client: Client::from_conf(config), runtime, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A bucket of this name with nothing in it.
    fn empty_bucket(&self, bucket: &str) {
        // A bucket that is there already is as good.
        let _ = self.runtime.block_on(self.client.create_bucket().bucket(bucket).send());
        for key in self.keys(bucket) {
            self.runtime.block_on(self.client.delete_object().bucket(bucket).key(key).send()).expect("deletes");
        }
    }

    fn put(&self, bucket: &str, key: &str, body: &[u8]) {
        let put = self.client.put_object().bucket(bucket).key(key).body(body.to_vec().into()).send();
        self.runtime.block_on(put).expect("puts");
    }

    fn get(&self, bucket: &str, key: &str) -> Vec<u8> {
        let get = self.client.get_object().bucket(bucket).key(key).send();
        let body = self.runtime.block_on(async { get.await.expect("gets").body.collect().await.expect("reads") });
        body.to_vec()
    }

    fn keys(&self, bucket: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut token = None;
        loop {
            let list = self
                .client
                .list_objects_v2()
                .bucket(bucket)
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token);
            let page = self.runtime.block_on(list.send()).expect("lists");
            keys.extend(page.contents().iter().map(|object| decode(object.key().unwrap_or_default())));
            token = page.next_continuation_token().map(str::to_string);
            if token.is_none() {
                keys.sort();
                return keys;
            }
        }
    }

    /// Calls the server's IAM with the root keys; gives its XML.
    fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut command = Command::new("curl");
        command.args(["-s", "--max-time", "20", "--aws-sigv4", "aws:amz:us-east-1:iam"]);
        command.args(["--user", &format!("{}:{}", self.key, self.secret), &self.endpoint]);
        command.args(["--data-urlencode", &format!("Action={action}"), "--data-urlencode", "Version=2010-05-08"]);
        for (name, value) in parameters {
            command.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        String::from_utf8_lossy(&command.output().expect("curl runs").stdout).into_owned()
    }

    /// A user with these policies; gives its keys.
    fn user(&self, name: &str, policies: &[String]) -> Keys {
        let name = format!("{name}-{}", std::process::id());
        self.iam("CreateUser", &[("UserName", &name)]);
        for (index, policy) in policies.iter().enumerate() {
            let policy_name = format!("p{index}");
            self.iam("PutUserPolicy", &[("UserName", &name), ("PolicyName", &policy_name), ("PolicyDocument", policy)]);
        }
        let answer = self.iam("CreateAccessKey", &[("UserName", &name)]);
        (tag(&answer, "AccessKeyId"), tag(&answer, "SecretAccessKey"))
    }

    fn connection(&self, file: &str, keys: &Keys) {
        let connection = serde_json::json!({
            "type": "s3",
            "config": { "endpoint_url": self.endpoint },
            "credentials": { "access_key_id": keys.0, "secret_access_key": keys.1 },
        });
        std::fs::write(self.path(file), connection.to_string()).expect("writes");
    }

    fn command(&self, home: &str, arguments: &[&str], variables: &BTreeMap<&str, String>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HANSEL_HOME", self.path(home)).env("HOME", self.folder.path()).envs(variables);
        command
    }

    /// Runs a workflow file; gives the exit code and the state of every object that was worked on.
    fn run(
        &self,
        home: &str,
        workflow: &str,
        bindings: &[(&str, &str)],
        variables: &BTreeMap<&str, String>,
    ) -> (i32, BTreeMap<String, String>) {
        let bindings: Vec<String> =
            bindings.iter().map(|(id, file)| format!("{id}={}", self.path(file).display())).collect();
        let mut arguments = vec!["--output", "json", "run", workflow];
        arguments.extend(bindings.iter().flat_map(|binding| ["--connection", binding.as_str()]));
        let output = self.command(home, &arguments, variables).output().expect("the binary runs");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
        let state = |object: &serde_json::Value| {
            let code = object["error"]["code"].as_str().unwrap_or_default();
            let state = object["state"].as_str().unwrap_or_default();
            (object["key"].as_str().unwrap_or_default().to_string(), format!("{state} {code}").trim().to_string())
        };
        let objects = said["objects"].as_array().map(|objects| objects.iter().map(state).collect()).unwrap_or_default();
        (output.status.code().unwrap_or(-1), objects)
    }

    fn example(&self, name: &str) {
        std::fs::copy(repository().join("docs/examples").join(name), self.path(name)).expect("copies");
    }
}

fn tag(xml: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let begin = xml.find(&open).unwrap_or_else(|| panic!("no {name} in {xml}")) + open.len();
    xml[begin..].split(&close).next().unwrap_or_default().to_string()
}

fn policy(name: &str) -> String {
    let text = std::fs::read_to_string(repository().join("docs/iam").join(name)).expect("the policies are there");
    text.replace("your-source-bucket-here", SOURCE).replace("your-destination-bucket-here", DESTINATION)
}

fn states(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, state)| (key.to_string(), state.to_string())).collect()
}

#[test]
fn a_real_server_sees_the_same() {
    let Some(server) = Server::found() else {
        // Written past the test harness, so that it is seen without being asked for.
        let line = "left out: the stage against a real S3 server; tests/start-ministack.sh tells how to run it\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    };
    let no_iam = std::env::var("HANSEL_TEST_S3_IAM").is_ok_and(|iam| iam == "no");
    let root: Keys = (server.key.clone(), server.secret.clone());
    let both = if no_iam { root.clone() } else { server.user("both", &[policy("documented.json")]) };
    sample(&server, &both);
    // With the root keys: the policy engine of ministack does not match a key with a line end in it.
    many_and_odd(&server, &root);
    if !no_iam {
        least_privilege(&server);
        role(&server);
    }
}

/// The documented sample, unchanged, with one user who holds both documented policies.
fn sample(server: &Server, both: &Keys) {
    server.empty_bucket(SOURCE);
    server.empty_bucket(DESTINATION);
    server.example("sample-s3-workflow.yaml");
    server.connection("both.json", both);
    for (index, name) in ["a", "b", "c"].iter().enumerate() {
        server.put(SOURCE, &format!("metrics/{name}.csv"), table(60, index as u64 + 1).as_bytes());
    }
    server.put(SOURCE, "metrics/broken.csv", b"a,b\n\xff\xfe,1\n");
    server.put(SOURCE, "metrics/empty.csv", b"");
    server.put(SOURCE, "metrics/deep/d.csv", table(60, 9).as_bytes());
    let run = || server.run("home", "sample-s3-workflow.yaml", &[("c_1", "both.json")], &BTreeMap::new());
    let (code, first) = run();
    let failed = [("metrics/broken.csv", "failed data.unreadable"), ("metrics/empty.csv", "failed data.no_records")];
    let done = [("metrics/a.csv", "done"), ("metrics/b.csv", "done"), ("metrics/c.csv", "done")];
    assert_eq!((code, first), (1, states(&[&done[..], &failed[..]].concat())));
    assert_eq!(server.keys(DESTINATION), ["metrics/a.csv", "metrics/b.csv", "metrics/c.csv"]);
    let copy = server.get(DESTINATION, "metrics/a.csv");
    assert_eq!(copy.split(|byte| *byte == b'\n').count(), table(60, 1).lines().count() + 1);
    assert_ne!(copy, table(60, 1).as_bytes());
    // What failed comes again, nothing else.
    assert_eq!(run(), (1, states(&failed)));
    for key in ["metrics/broken.csv", "metrics/empty.csv", "metrics/c.csv"] {
        server.runtime.block_on(server.client.delete_object().bucket(SOURCE).key(key).send()).expect("deletes");
    }
    assert_eq!(run(), (0, states(&[])));
    // One added, one overwritten, one removed above: two outputs.
    server.put(SOURCE, "metrics/new.csv", table(60, 11).as_bytes());
    server.put(SOURCE, "metrics/b.csv", table(61, 12).as_bytes());
    assert_eq!(run(), (0, states(&[("metrics/b.csv", "done"), ("metrics/new.csv", "done")])));
    assert_eq!(run(), (0, states(&[])));
}

const COPY: &str = "name: copy
actions:
  - name: crawl
    type: s3_source
    connection: c_1
    config: {bucket: my-analytics-bucket, recursive: true}
  - name: sync
    type: s3_destination
    connection: c_1
    input: crawl
    config:
      bucket: my-synthesized-analyics-bucket
      input: \"{outputs.crawl.dataset.files.data}\"
      filename: \"{outputs.crawl.dataset.files.source_filename}\"
";

/// Every page of a long listing, and keys that break careless clients, copied byte for byte.
fn many_and_odd(server: &Server, keys: &Keys) {
    server.empty_bucket(SOURCE);
    server.empty_bucket(DESTINATION);
    server.connection("both.json", keys);
    std::fs::write(server.path("copy.yaml"), COPY).expect("writes");
    let mut kept = Vec::new();
    for (index, key) in odd_keys().iter().enumerate() {
        // A server that cannot hold a key, or holds it under another name, is no fault of ours.
        let put =
            server.client.put_object().bucket(SOURCE).key(key).body(format!("v{index}").into_bytes().into()).send();
        // Some servers take the bytes of `dir/` and lose them; then it is a folder marker and not copied.
        if server.runtime.block_on(put).is_ok() && server.get(SOURCE, key) == format!("v{index}").into_bytes() {
            kept.push(key.clone());
        }
    }
    let several = std::sync::Arc::new(server.client.clone());
    server.runtime.block_on(async {
        let mut puts = tokio::task::JoinSet::new();
        for index in 0..2_500 {
            let client = several.clone();
            puts.spawn(async move {
                let key = format!("many/obj-{index:05}");
                client.put_object().bucket(SOURCE).key(key).body(b"a,b\n1,2\n".to_vec().into()).send().await.is_ok()
            });
            if puts.len() >= 16 {
                assert!(puts.join_next().await.expect("one is there").expect("no panic"), "puts");
            }
        }
        while let Some(put) = puts.join_next().await {
            assert!(put.expect("no panic"), "puts");
        }
    });
    let (code, objects) = server.run("home-copy", "copy.yaml", &[("c_1", "both.json")], &BTreeMap::new());
    let failed: Vec<_> = objects.iter().filter(|(_, state)| *state != "done").collect();
    assert_eq!((code, failed.len()), (0, 0), "{failed:?}");
    let copied = server.keys(DESTINATION);
    assert_eq!(copied.iter().filter(|key| key.starts_with("many/")).count(), 2_500);
    for key in &kept {
        // By reading, not by the listing: some servers list `a//b` as `a/b` and answer to both.
        assert_eq!(server.get(SOURCE, key), server.get(DESTINATION, key), "{key:?}");
    }
    let _ = std::io::stderr().write_all(
        format!("{} of {} odd keys held by the server, all copied\n", kept.len(), odd_keys().len()).as_bytes(),
    );
    assert!(kept.len() >= 25, "only {} odd keys", kept.len());
    let (code, objects) = server.run("home-copy", "copy.yaml", &[("c_1", "both.json")], &BTreeMap::new());
    assert_eq!((code, objects.len()), (0, 0));
}

fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "plain.csv",
        "a b c.csv",
        " lead",
        "trail ",
        "a+b.csv",
        "100%25.csv",
        "pct%.csv",
        "pct%2Fenc.csv",
        "ünïcode/日本語.csv",
        "emoji😀.csv",
        "nfd-e\u{301}.csv",
        "nfc-\u{e9}.csv",
        "dir/",
        "dir/x.csv",
        "q?x=1&y=2",
        "#hash",
        "semi;colon,comma",
        "quote'\"x",
        "<xml>&amp;",
        "star*[a].csv",
        "back\\slash",
        "a//b",
        "/leading",
        "dots/../up",
        "./dot",
        "k=v/date=2024-01-01/p.csv",
        "conflict",
        "conflict/child",
        "tab\tx",
        "nl\nx",
        "ctl\u{1}x",
        "~tilde!$()@:",
    ]
    .map(str::to_string)
    .to_vec();
    keys.push("L".repeat(1000));
    keys.push("deep/".repeat(60) + "f");
    keys
}

/// Two users, each with its own minimum policy and nothing more.
fn least_privilege(server: &Server) {
    server.empty_bucket(SOURCE);
    server.empty_bucket(DESTINATION);
    server.example("two-connections.yaml");
    server.connection("src.json", &server.user("src", &[policy("source.json")]));
    server.connection("dst.json", &server.user("dst", &[policy("destination.json")]));
    server.put(SOURCE, "metrics/a.csv", table(60, 1).as_bytes());
    let bindings = [("c_1", "src.json"), ("c_2", "dst.json")];
    let ran = server.run("home-two", "two-connections.yaml", &bindings, &BTreeMap::new());
    assert_eq!(ran, (0, states(&[("metrics/a.csv", "done")])));
    // The other way round neither may do the other's work.
    let swapped = server.run(
        "home-swapped",
        "two-connections.yaml",
        &[("c_1", "dst.json"), ("c_2", "src.json")],
        &BTreeMap::new(),
    );
    assert_eq!(swapped, (3, states(&[])));
}

/// A role that demands the project's guid as external id.
fn role(server: &Server) {
    server.empty_bucket(DESTINATION);
    let caller = server.user(
        "caller",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#
            .to_string()],
    );
    let arn = tag(&server.iam("GetUser", &[("UserName", &format!("caller-{}", std::process::id()))]), "Arn");
    let trust = |external_id: &str| {
        serde_json::json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": arn }, "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
        }] })
        .to_string()
    };
    let project = server
        .command("home-role", &["--output", "json", "projects", "trust-policy"], &BTreeMap::new())
        .output()
        .expect("runs");
    let project: serde_json::Value = serde_json::from_slice(&project.stdout).expect("JSON");
    let guid = project["external_id"].as_str().expect("a guid");
    let variables = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", caller.0),
        ("AWS_SECRET_ACCESS_KEY", caller.1),
        ("AWS_ENDPOINT_URL_STS", server.endpoint.clone()),
    ]);
    for (name, external_id, expected) in [("wrong", "proj_of_somebody_else", 3), ("right", guid, 0)] {
        let name = format!("{name}-{}", std::process::id());
        let role = server.iam("CreateRole", &[("RoleName", &name), ("AssumeRolePolicyDocument", &trust(external_id))]);
        let policy = policy("documented.json");
        server.iam("PutRolePolicy", &[("RoleName", &name), ("PolicyName", "p"), ("PolicyDocument", &policy)]);
        let connection = serde_json::json!({
            "type": "s3", "config": { "role_arn": tag(&role, "Arn"), "endpoint_url": server.endpoint },
        });
        std::fs::write(server.path("role.json"), connection.to_string()).expect("writes");
        let (code, objects) = server.run("home-role", "sample-s3-workflow.yaml", &[("c_1", "role.json")], &variables);
        assert_eq!(code, expected, "{name}: {objects:?}");
    }
    assert_eq!(server.keys(DESTINATION), ["metrics/a.csv"]);
}

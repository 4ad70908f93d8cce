//! Nobody reaches what is another's. Every route of the served OpenAPI document is asked with the ids of Ann's records by
//! somebody who has no role in her project, by a reader of it, without a key, and with a wrong one. A new route joins by
//! itself; a new kind of id has to be said here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fixtures::table;
use crate::world::World;

/// A word that is in everything of Ann's, and in nothing that others send.
const MARK: &str = "zanzibar";

const JSON: &str = "application/json";

/// A served world in which Ann has one of everything.
struct Ann {
    world: World,
    ids: BTreeMap<&'static str, String>,
    document: Value,
}

/// One operation of the document.
struct Operation {
    method: String,
    /// As the document has it, with `{names}`.
    path: String,
    described: Value,
}

impl Ann {
    fn new() -> Ann {
        let mut world = World::new();
        for words in [&["serve"][..], &["key", "ANN", "ann@example.com"], &["key", "BOB", "bob@example.com"]] {
            world.obey_served(words, &[]).expect("it serves");
        }
        world.obey_served(&["key", "EVE", "eve@example.com"], &[]).expect("a key");
        let mut ann = Ann { world, ids: BTreeMap::new(), document: Value::Null };
        ann.document = ann.asked("GET", "/openapi.json", &Value::Null);
        ann.settle();
        ann.work();
        ann
    }

    /// Project, connection, workflow and a finished run.
    fn settle(&mut self) {
        let project = json!({ "name": "of-ann", "display_name": MARK, "description": MARK });
        self.asked("POST", "/projects", &project);
        let project = self.asked("GET", "/projects/of-ann", &Value::Null);
        self.keep("project", &project["data"]["project"]["guid"]);
        let reader = json!({ "email": "eve@example.com", "level": 1 });
        self.asked("POST", &self.with_ids("/projects/$project/invites"), &reader);
        let me = self.asked("GET", "/users/me", &Value::Null);
        self.keep("user", &me["data"]["me"]["_id"]);
        let connection = json!({
            "project_id": self.ids["project"], "type": "test", "name": format!("{MARK}-conn"), "credentials": { "word": MARK },
        });
        let connection = self.asked("POST", "/v1/connections", &connection);
        self.keep("connection", &connection["id"]);
        let workflow = json!({ "project_id": self.ids["project"], "config": hello(MARK) });
        let workflow = self.asked("POST", "/v1/workflows", &workflow);
        self.keep("workflow", &workflow["id"]);
        let run = json!({ "workflow_id": self.ids["workflow"], "name": MARK });
        let run = self.asked("POST", "/v1/workflows/runs", &run);
        self.keep("run", &run["id"]);
        self.world.set("KEY", &self.world.filled("$ANN"));
        self.world.obey_served(&["ends", &self.ids["run"]], &[]).expect("the run ends");
        let search = format!("/v1/workflows/runs/tasks/search?query=workflow_run_id:{}", self.ids["run"]);
        let tasks = self.asked("GET", &search, &Value::Null);
        self.keep("task", &tasks["tasks"][0]["id"]);
        let keys = self.asked("GET", "/v1/keys", &Value::Null);
        self.keep("key", &keys["keys"][0]["id"]);
    }

    /// A file, an artifact, a model with a record handler, and a run of steps.
    fn work(&mut self) {
        let rows = table(60, 1).replacen("id,", &format!("{MARK},"), 1);
        let name = format!("{MARK}.csv");
        std::fs::write(self.world.path(&name), &rows).expect("a file");
        self.world.upload("FILE", &name).expect("it is taken");
        self.ids.insert("file", self.world.filled("$FILE"));
        let artifact = self.asked("POST", &self.with_ids("/projects/$project/artifacts"), &json!({ "filename": name }));
        self.keep("artifact", &artifact["data"]["key"]);
        let link = artifact["data"]["url"].as_str().expect("a link");
        let link = &link[link.find("/links").expect("of this server")..];
        assert_eq!(self.world.ask("PUT", link, "ANN", ("", &rows)).expect("an answer").0, "200");
        let model = json!({ "name": MARK, "models": [{ "actgan": {
            "data_source": self.ids["artifact"], "generate": { "num_records": 20 } } }] });
        let models = self.with_ids("/projects/$project/models");
        let model = self.asked("POST", &models, &model);
        self.keep("model", &model["data"]["model"]["uid"]);
        let model = format!("{models}/{}", self.ids["model"]);
        self.completed(&model, "model");
        let handler =
            self.asked("POST", &format!("{model}/record_handlers"), &json!({ "params": { "num_records": 5 } }));
        self.keep("handler", &handler["data"]["handler"]["uid"]);
        self.completed(&format!("{model}/record_handlers/{}", self.ids["handler"]), "handler");
        let steps = json!({ "project_id": self.ids["project"], "workflow_config": { "name": MARK, "steps": [
            { "name": "read", "task": "data_source", "config": { "data_source": self.ids["file"] } }] } });
        let begun = self.asked("POST", "/v2/workflows/exec_batch", &steps);
        self.keep("steps", &begun["workflow_run_id"]);
        self.world.obey_served(&["ends", &self.ids["steps"]], &[]).expect("the run ends");
    }

    fn keep(&mut self, name: &'static str, value: &Value) {
        self.ids.insert(name, value.as_str().unwrap_or_else(|| panic!("no {name}: {value}")).to_string());
    }

    fn with_ids(&self, path: &str) -> String {
        path.replace("$project", &self.ids["project"])
    }

    /// What Ann is answered; it has to be a success.
    fn asked(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.world.ask(method, path, "ANN", (JSON, &body)).expect("an answer");
        assert_eq!(status, "200", "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// Asks until the job is over.
    fn completed(&self, path: &str, what: &str) {
        loop {
            let job = self.asked("GET", path, &Value::Null);
            match job["data"][what]["status"].as_str() {
                Some("completed") => return,
                Some("created" | "pending" | "active") => std::thread::yield_now(),
                _ => panic!("{path}: {job}"),
            }
        }
    }

    fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().expect("a document has paths");
        let all = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, described)| Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                described: described.clone(),
            })
        });
        let all: Vec<Operation> = all.collect();
        assert!(all.len() > 80, "the document has {} operations only", all.len());
        all
    }

    /// The operation's path with Ann's ids, and a query where it takes one.
    fn path(&self, operation: &Operation) -> String {
        let mut path = String::new();
        for part in operation.path.split_inclusive('}') {
            let Some((before, name)) = part.split_once('{') else {
                path.push_str(part);
                continue;
            };
            path.push_str(before);
            path.push_str(&self.id(&operation.path, name.trim_end_matches('}')));
        }
        let query: Vec<String> =
            self.parameters(operation, "query").iter().filter_map(|name| self.query(operation, name)).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn parameters(&self, operation: &Operation, place: &str) -> Vec<String> {
        let given = operation.described["parameters"].as_array().into_iter().flatten();
        let name = |parameter: &Value| parameter["name"].as_str().unwrap_or_default().to_string();
        given.filter(|parameter| parameter["in"] == place).map(name).collect()
    }

    /// Ann's id for a parameter of a path.
    fn id(&self, path: &str, name: &str) -> String {
        let of = match name {
            "id" => [
                ("/v1/connections/", "connection"),
                ("/v1/workflows/runs/tasks/", "task"),
                ("/v1/workflows/runs/", "run"),
                ("/v2/workflows/runs/", "steps"),
                ("/v1/workflows/", "workflow"),
                ("/v1/files/", "file"),
                ("/v1/keys/", "key"),
            ]
            .iter()
            .find(|(prefix, _)| path.starts_with(prefix))
            .map(|(_, of)| *of),
            "guid" => Some("project"),
            _ => self.ids.keys().copied().find(|of| *of == name),
        };
        match (of, name) {
            (Some(of), _) => self.ids[of].clone(),
            (None, "number") => "0".into(),
            (None, "step") => "read".into(),
            (None, "id") if path.starts_with("/v1/clusters/") => "none".into(),
            _ => panic!("`{path}` has a parameter `{name}`: say here which id of Ann's stands for it"),
        }
    }

    fn query(&self, operation: &Operation, name: &str) -> Option<String> {
        let value = match (name, operation.path.as_str()) {
            ("query", "/v1/logs") => format!("workflowTask:{}", self.ids["task"]),
            ("query", "/v1/workflows/runs/tasks/search") => format!("workflow_run_id:{}", self.ids["run"]),
            ("query", "/v1/projects/search" | "/projects") => String::new(),
            ("query", _) => format!("project_id:{}", self.ids["project"]),
            ("project_id", _) => self.ids["project"].clone(),
            ("key", _) => self.ids["artifact"].clone(),
            ("type", path) if path.contains("record_handlers") => "data".into(),
            ("type", path) if path.starts_with("/v2/") => "dataset_parquet".into(),
            ("type", _) => "data_preview".into(),
            _ => return None,
        };
        Some(format!("{name}={value}"))
    }

    /// A body that would do something, were it let in.
    fn body(&self, operation: &Operation) -> (String, String) {
        let Some(content) = operation.described["requestBody"]["content"].as_object() else {
            return (JSON.into(), String::new());
        };
        let (kind, schema) = content.iter().next().expect("a body has a form");
        if kind.starts_with("multipart/") {
            let part =
                "--p\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\na\n1\n\r\n--p--\r\n";
            return ("multipart/form-data; boundary=p".into(), part.into());
        }
        let reference = schema["schema"]["$ref"].as_str().unwrap_or_default();
        let named = reference.rsplit('/').next().unwrap_or_default();
        let properties = self.document["components"]["schemas"][named]["properties"].as_object();
        let value = match (properties, operation.path.as_str()) {
            (Some(properties), _) => {
                let filled = properties.iter().filter_map(|(name, _)| Some((name.clone(), self.value(name)?)));
                Value::Object(filled.collect())
            }
            (None, path) if path.ends_with("/models") => {
                json!({ "name": "mine", "models": [{ "actgan": { "data_source": self.ids["artifact"] } }] })
            }
            (None, path) if path.starts_with("/v2/") => self.steps(),
            (None, _) => hello("mine"),
        };
        (kind.replace("text/yaml", JSON), value.to_string())
    }

    fn steps(&self) -> Value {
        json!({ "name": "mine", "steps": [
            { "name": "read", "task": "data_source", "config": { "data_source": self.ids["file"] } }] })
    }

    fn value(&self, name: &str) -> Option<Value> {
        Some(match name {
            "project_id" => json!(self.ids["project"]),
            "workflow_id" => json!(self.ids["workflow"]),
            "config" => hello("mine"),
            "workflow_config" => self.steps(),
            "email" => json!("bob@example.com"),
            "level" => json!(4),
            "status" => json!("cancelled"),
            "type" => json!("test"),
            "name" => json!("mine-now"),
            "credentials" => json!({ "word": "mine" }),
            "params" => json!({ "num_records": 5 }),
            "filename" => json!("mine.csv"),
            "key" | "reason" | "display_name" | "description" => json!("mine"),
            "url" => json!("https://example.com/mine"),
            "secret" => json!("mine-mine-mine-mine"),
            "bucket" => json!("mine-bucket"),
            "data_source" => json!(self.ids["artifact"]),
            _ => return None,
        })
    }

    fn as_whom(&self, key: &str, operation: &Operation) -> (String, String) {
        let (kind, body) = self.body(operation);
        self.world.ask(&operation.method, &self.path(operation), key, (&kind, &body)).expect("an answer")
    }

    /// Everything of Ann's as she sees it; what is of the moment is left out.
    fn sight(&self) -> BTreeMap<String, String> {
        let mut sight = BTreeMap::new();
        for operation in self.operations().iter().filter(|operation| operation.method == "GET") {
            let path = self.path(operation);
            let (status, text) = self.world.ask("GET", &path, "ANN", (JSON, "")).expect("an answer");
            // When a key was last used, and links, change by being asked for.
            if !text.contains("expires=") && operation.path != "/v1/keys" {
                sight.insert(path, format!("{status} {text}"));
            }
        }
        sight
    }
}

fn hello(name: &str) -> Value {
    json!({ "name": name, "actions": [
        { "name": "names", "type": "helloworld_producer", "config": { "names": [MARK.replace('z', "x")] } },
        { "name": "greet", "type": "helloworld_consumer", "input": "names", "config": { "echo": "hello {outputs.names.name}" } }] })
}

#[test]
fn nobody_reaches_what_is_anothers() {
    let ann = Ann::new();
    let before = ann.sight();
    assert!(before.values().filter(|text| text.contains(MARK)).count() > 20, "Ann sees her own: {before:#?}");
    for operation in ann.operations() {
        let Operation { method, path, .. } = &operation;
        let declared = ann.parameters(&operation, "path");
        let written: Vec<&str> = path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        assert_eq!(declared, written, "{method} {path}: its parameters are not those of its path");
        let (status, text) = ann.as_whom("BOB", &operation);
        assert!(!text.contains(MARK), "{method} {path} shows Bob what is Ann's: {text}");
        assert!(!status.starts_with('5'), "{method} {path}: {status} {text}");
        if !written.is_empty() {
            assert_eq!(status, "404", "{method} {path} says to Bob: {text}");
        }
    }
    assert_eq!(ann.sight(), before, "Bob changed something of Ann's");
    for operation in
        ann.operations().iter().filter(|operation| operation.method != "GET" && operation.path.contains('{'))
    {
        let Operation { method, path, .. } = operation;
        let (status, text) = ann.as_whom("EVE", operation);
        assert!(["403", "404"].contains(&status.as_str()), "{method} {path} says to a reader: {status} {text}");
    }
    assert_eq!(ann.sight(), before, "a reader changed something of Ann's");
}

#[test]
fn no_route_opens_without_a_key() {
    let mut ann = Ann::new();
    let made = ann.asked("POST", "/v1/keys", &json!({ "name": "soon gone" }));
    let (id, text) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("shown once"));
    ann.asked("DELETE", &format!("/v1/keys/{id}"), &Value::Null);
    ann.world.set("REVOKED", text);
    let wrong = ann.world.filled("$ANN").replace(['0', '1', '2', '3', '4'], "5");
    ann.world.set("WRONG", &wrong);
    ann.world.set("SHORT", "grtu");
    ann.world.set("EMPTY", "");
    for operation in ann.operations() {
        let public = operation.described["security"] == json!([{}]);
        assert_eq!(
            public,
            ["/healthz", "/readyz", "/login", "/login/callback"].contains(&operation.path.as_str()),
            "{}",
            operation.path
        );
        for key in ["REVOKED", "WRONG", "SHORT", "EMPTY"].iter().filter(|_| !public) {
            let (status, text) = ann.as_whom(key, &operation);
            assert_eq!(status, "401", "{} {} with {key}: {text}", operation.method, operation.path);
            assert!(!text.contains(MARK));
        }
    }
}

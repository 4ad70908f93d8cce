//! `helloworld_producer`: gives names, one a unit, anew in every run. For trying out workflows without a store.

use std::sync::Arc;

use workflow::{
    ActionType, Attempt, Built, Code, Config, Crawl, Data, Failure, Field, Object, Origin, Problem, Role, Shape, Source,
};

/// The action type `helloworld_producer`.
pub(crate) static HELLOWORLD_PRODUCER: ActionType = ActionType {
    name: "helloworld_producer",
    about: "Gives names, for trying out workflows without a store; each run gives them anew.",
    role: Role::Source,
    connection: None,
    fields: &[Field {
        name: "names",
        shape: Shape::Texts,
        required: true,
        about: "The names; what comes behind is applied to each.",
        example: "[Ann, Bob]",
    }],
    check,
    reach: |_| None,
    build: |config, _| {
        let names = config.texts("names").unwrap_or_default().to_vec();
        Ok(Built::Source(Box::new(Producer { names })))
    },
};

fn check(config: &Config, problems: &mut Vec<Problem>, _: &mut Vec<Problem>) {
    let names = config.texts("names").unwrap_or_default();
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            problems.push(config.problem("names", format!("`{name}` is given twice"), Some("Give each name once.")));
        }
    }
}

struct Producer {
    names: Vec<String>,
}

impl Source for Producer {
    fn crawl(&self, attempt: &Attempt<'_>) -> Result<Crawl, Failure> {
        let object = |name: &String| {
            // Of the run's own version, so that the next run gives it again.
            let identity = attempt.run.to_string();
            Object {
                origin: Arc::new(Origin { bucket: String::new(), key: name.clone(), identity }),
                filename: name.clone(),
                bytes: 0,
                etag: String::new(),
            }
        };
        let mut objects: Vec<Object> = self.names.iter().map(object).collect();
        objects.sort_by(|one, other| one.origin.key.cmp(&other.origin.key));
        Ok(Crawl { listed: objects.len() as u64, objects, left_out: Vec::new() })
    }

    fn fetch(&self, object: &Object, attempt: &Attempt<'_>) -> Result<Data, Failure> {
        let path = attempt.folder.join("name");
        std::fs::write(&path, &object.filename)
            .map_err(|error| Failure::new(Code::HomeUnusable, "a name could not be spooled").cause(error))?;
        Ok(Data { path, bytes: object.filename.len() as u64, provenance: Vec::new() })
    }

    fn goes_on(&self) -> bool {
        true
    }
}

//! Projects, their workflows and their files.

use store::{NewProject, NewWorkflow, Role, StoreError};

use crate::world::{World, each};

#[test]
fn a_name_belongs_to_its_first_owner() {
    each(async |world: World| {
        let (ann, bob) = (world.user("ann@example.com").await, world.user("bob@example.com").await);
        let named =
            |owner: &str| NewProject { name: Some("sales".into()), owner: Some(owner.into()), ..NewProject::default() };
        let (made, now) = world.store.create_project(&named(&ann.id)).await.expect("the name is free");
        assert!(now && made.id.len() == 24 && made.guid.len() == 32 && made.guid.starts_with("proj_"));
        assert_eq!(world.store.create_project(&named(&ann.id)).await.expect("it is hers"), (made.clone(), false));
        for other in [named(&bob.id), NewProject { owner: None, ..named("") }] {
            let error = world.store.create_project(&other).await.expect_err("it is another's");
            assert!(error.to_string().starts_with("Project name not available"), "{error}");
        }
        for any in [&made.id, &made.guid, &made.name] {
            assert_eq!(world.store.project(any).await.expect("it is there"), made);
        }
        // A name that could be taken for another project's id.
        for name in [made.id.as_str(), "x", "-ab", "Ab-c", "a_bc"] {
            let new = NewProject { name: Some(name.into()), ..NewProject::default() };
            assert!(matches!(world.store.create_project(&new).await, Err(StoreError::Refused(_))), "{name}");
        }
        let (drawn, now) = world.store.create_project(&NewProject::default()).await.expect("a name is drawn");
        assert!(now && drawn.name.starts_with("proj-"));
    });
}

#[test]
fn a_search_finds_words_in_any_case_and_only_what_is_in_sight() {
    each(async |world: World| {
        let (ann, bob) = (world.user("ann@example.com").await, world.user("bob@example.com").await);
        for (name, shown) in [("one", "Käse 100%"), ("two", "kÄSE 1000"), ("three", "a_b"), ("four", "aXb")] {
            let new = NewProject {
                name: Some(name.into()),
                display_name: Some(shown.into()),
                owner: Some(ann.id.clone()),
                ..NewProject::default()
            };
            world.store.create_project(&new).await.expect("the name is free");
        }
        let two = world.store.project("two").await.expect("it is there");
        world.store.set_member(&two.id, &bob.id, Role::Read).await.expect("a role can be given");
        let find = async |user: Option<&str>, query: &str, limit, skip| -> Vec<String> {
            let found = world.store.projects_of(user, query, limit, skip).await.expect("it can be asked");
            found.into_iter().map(|project| project.name).collect()
        };
        assert_eq!(find(None, "", 10, 0).await, ["four", "three", "two", "one"]);
        assert_eq!(find(None, "", 2, 1).await, ["three", "two"]);
        assert_eq!(find(None, "KÄSE", 10, 0).await, ["two", "one"]);
        assert_eq!(find(None, "100%", 10, 0).await, ["one"]);
        assert_eq!(find(None, "a_b", 10, 0).await, ["three"]);
        assert_eq!(find(Some(&bob.id), "", 10, 0).await, ["two"]);
        assert!(find(Some("nobody"), "", 10, 0).await.is_empty());
    });
}

#[test]
fn a_project_goes_with_all_its_files() {
    each(async |world: World| {
        let store = &world.store;
        let project = store.default_project().await.expect("a home has a project");
        let run = world.run(&world.workflow().await, "RUN_STATUS_PENDING").await;
        let new = store::NewJob { kind: "model".into(), project: project.id.clone(), ..Default::default() };
        let job = store.create_job(&new).await.expect("a job can be made");
        // A name that would lead out of the home if it became a path.
        let name = "../../etc/passwd";
        let upload = store.create_upload("artifact", &project.id, name, "", "").await.expect("it can be announced");
        assert!(upload.key.starts_with("gretel_") && upload.key.ends_with(name) && upload.key.len() == 40 + name.len());
        let path = store.upload_path(&upload.key);
        assert_eq!(path.parent(), Some(store.home().join("uploads").as_path()));
        let folders = [store.artifacts_dir(&run.id), store.scratch_dir(&run.id), store.job_dir(&job.uid)];
        for folder in folders.iter().map(|folder| folder.as_path()).chain(path.parent()) {
            std::fs::create_dir_all(folder).expect("a folder can be made");
        }
        std::fs::write(&path, "a,b\n").expect("it can be written");
        assert_eq!(upload.bytes, None);
        assert_eq!(store.finish_upload(&upload.key, 4).await.expect("it is there").bytes, Some(4));

        store.delete_project(&project.id).await.expect("it is there");
        for path in folders.iter().chain([&path]) {
            assert!(!path.exists(), "{}", path.display());
        }
        assert!(matches!(store.run(&run.id).await, Err(StoreError::NotFound { .. })));
        assert!(matches!(store.job(&job.uid).await, Err(StoreError::NotFound { .. })));
        assert!(matches!(store.upload(&upload.key).await, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn uploads_come_and_go() {
    each(async |world: World| {
        let (store, project) = (&world.store, world.project("one", None).await);
        let file = store.create_upload("file", &project.id, "a.csv", "dataset", "").await.expect("it can be announced");
        assert!(file.key.len() == 32 && file.key.starts_with("file_"));
        let artifact =
            store.create_upload("artifact", &project.id, "a.csv", "", "").await.expect("it can be announced");
        assert_eq!(store.uploads(&project.id, "file").await.expect("they can be listed"), std::slice::from_ref(&file));
        assert_eq!(store.uploads(&project.id, "artifact").await.expect("they can be listed"), [artifact]);
        assert!(matches!(store.create_upload("other", &project.id, "a", "", "").await, Err(StoreError::Refused(_))));
        let path = store.upload_path(&file.key);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
        std::fs::write(&path, "a").expect("it can be written");
        store.delete_upload(&file.key).await.expect("it is there");
        assert!(!path.exists());
    });
}

#[test]
fn workflows_of_one_name_stand_beside_the_local_one() {
    each(async |world: World| {
        let (store, local) = (&world.store, world.workflow().await);
        let new = NewWorkflow {
            project: local.project.clone(),
            name: "flow".into(),
            config_text: "name: flow # kept\n".into(),
            created_by: "user_1".into(),
            next_run: Some(9),
            ..NewWorkflow::default()
        };
        let one = store.create_workflow(&new).await.expect("it can be made");
        let two = store.create_workflow(&new).await.expect("one more can be made");
        assert!(one.id != two.id && one.config_text == new.config_text && one.config.is_empty());
        assert!(one.seed < 1 << 53);
        assert_eq!(world.workflow().await, local);
        assert_eq!(store.workflow_named(&local.project, "flow").await.expect("it can be asked"), Some(local.clone()));

        let new = NewWorkflow { name: "served".into(), ..new };
        store.create_workflow(&new).await.expect("it can be made");
        assert_eq!(store.workflow_named(&local.project, "served").await.expect("it can be asked"), None);
        let due = async |now| -> Vec<String> {
            store.due_workflows(now).await.expect("it can be asked").into_iter().map(|found| found.id).collect()
        };
        store.set_next_run(&one.id, Some(4)).await.expect("it is there");
        assert_eq!((due(3).await, due(4).await), (vec![], vec![one.id.clone()]));
        assert_eq!(due(8).await, std::slice::from_ref(&one.id));
        store.set_next_run(&two.id, Some(5)).await.expect("it is there");
        assert_eq!(due(5).await, [one.id.clone(), two.id.clone()]);
        let changed = store.update_workflow(&one.id, "{\"name\":\"x\"}", true, Some("x"), "user_2", None).await;
        let changed = changed.expect("it is there");
        assert_eq!((changed.name.as_str(), changed.config.as_str()), ("x", "{\"name\":\"x\"}"));
        assert_eq!((changed.created_by.as_str(), changed.updated_by.as_str()), ("user_1", "user_2"));
        assert_eq!(due(5).await, std::slice::from_ref(&two.id));

        let run = world.run(&two, "RUN_STATUS_PENDING").await;
        std::fs::create_dir_all(store.artifacts_dir(&run.id)).expect("a folder can be made");
        store.delete_workflow(&two.id).await.expect("it is there");
        assert!(!store.artifacts_dir(&run.id).exists());
        assert!(matches!(store.run(&run.id).await, Err(StoreError::NotFound { .. })));
    });
}

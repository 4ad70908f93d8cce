//! Webhooks: what is to be told is made with the end of a run and stays until it was heard.

use serde_json::{Value, json};
use store::StoreError;

use crate::world::{World, each};

#[test]
fn the_end_of_a_run_is_told_once_and_stays_until_it_was_heard() {
    each(async |world: World| {
        let workflow = world.workflow().await;
        let project = workflow.project.clone();
        let end = async |status| {
            let run = world.run(&workflow, "RUN_STATUS_PENDING").await;
            for status in ["RUN_STATUS_ACTIVE", status, status] {
                let body = json!({"text": "SELECT secret"});
                world
                    .store
                    .append(&run.id, "finished", &body, Some((status, "of bucket x")))
                    .await
                    .expect("it is there");
            }
            run.id
        };
        end("RUN_STATUS_COMPLETED").await;
        assert_eq!(world.store.due_deliveries(9).await.expect("it can be asked"), []);

        let set = world.store.set_webhook(&project, "https://a.example", b"first-secret", "user_1").await;
        assert_eq!(world.store.webhook(&project).await.expect("it is set"), set.expect("it can be set"));
        world
            .store
            .set_webhook(&project, "https://b.example", b"other-secret", "user_1")
            .await
            .expect("it is replaced");
        world.store.rotate_keys(None, true).await.expect("the key is right");
        let secret = world.store.webhook_secret(&project).await.expect("it opens");
        assert_eq!(secret.as_slice(), b"other-secret");

        let (one, two) = (end("RUN_STATUS_ERROR").await, end("RUN_STATUS_CANCELLED").await);
        let again = world.again().await;
        let mut due = again.due_deliveries(9).await.expect("it can be asked");
        again.postpone_delivery(&due[0].id, 3_600_000_000).await.expect("it is there");
        due.extend(again.due_deliveries(9).await.expect("it can be asked"));
        assert_eq!(due.iter().map(|due| due.run.as_str()).collect::<Vec<_>>(), [&one, &two]);
        let body: Value = serde_json::from_str(&due[0].body).expect("it is JSON");
        assert_eq!((&body["id"], &body["run"]["status"]), (&json!(due[0].id), &json!("RUN_STATUS_ERROR")));
        assert!(!due[0].body.contains("bucket") && !due[0].body.contains("SELECT"), "{}", due[0].body);
        assert_eq!(due[0].url, "https://b.example");

        world.store.end_delivery(&due[1].id).await.expect("it is there");
        assert_eq!(world.store.due_deliveries(9).await.expect("it can be asked"), []);
        world.store.postpone_delivery(&due[0].id, 0).await.expect("it is there");
        let again = world.store.due_deliveries(9).await.expect("it can be asked");
        assert_eq!((again[0].attempts, &again[0].body), (2, &due[0].body));
        world.store.delete_webhook(&project).await.expect("it is set");
        assert_eq!(world.store.due_deliveries(9).await.expect("it can be asked"), []);
        assert!(matches!(world.store.webhook_secret(&project).await, Err(StoreError::NotFound { .. })));
    });
}

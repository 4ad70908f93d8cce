//! Runs, journals, tasks and the ledger.

use serde_json::json;
use store::{ArtifactRow, DoneMark, EventRow, NewRun, StoreError, UnitKey};

use crate::world::{World, each};

/// Numbers from 1 without gaps, times that rise strictly.
fn in_order(events: &[EventRow]) {
    for (index, pair) in events.windows(2).enumerate() {
        assert!(pair[0].at < pair[1].at, "entry {index}");
    }
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
}

#[test]
fn a_journal_that_many_write_is_in_order() {
    each(async |world: World| {
        let flow = world.workflow().await;
        let run = world.run(&flow, "RUN_STATUS_PENDING").await.id;
        let (stores, mut writers) = ([world.store.clone(), world.again().await], Vec::new());
        for writer in 0..8 {
            let (store, run) = (stores[writer % 2].clone(), run.clone());
            writers.push(tokio::spawn(async move {
                for line in 0..20 {
                    let body = json!({"action": if line % 2 == 0 { "a" } else { "b" }, "writer": writer, "line": line});
                    store.append(&run, "log", &body, None).await.expect("it can be appended");
                }
            }));
        }
        for writer in writers {
            writer.await.expect("no writer panics");
        }
        let all = world.store.events(&run, 0).await.expect("they can be read");
        assert_eq!(all.len(), 160);
        in_order(&all);
        for writer in 0..8 {
            let own = all.iter().filter(|event| event.body["writer"] == writer);
            assert!(own.zip(0..).all(|(event, line)| event.body["line"] == line));
        }
        let page = world.store.events_page(&run, 150, 7).await.expect("they can be read");
        assert_eq!(page, all[150..157]);
        let of_a: Vec<EventRow> = all.iter().filter(|event| event.body["action"] == "a").cloned().collect();
        assert_eq!(world.store.task_events(&run, "a", 0, i64::MAX).await.expect("they can be read"), of_a);
        let part = world.store.task_events(&run, "a", of_a[9].seq, 5).await.expect("they can be read");
        assert_eq!(part, of_a[10..15]);
        // Also where the clock was set back.
        world.sql("UPDATE events SET at = at + 1000000000000").await;
        world.store.append(&run, "log", &json!({}), None).await.expect("it can be appended");
        in_order(&world.store.events(&run, 0).await.expect("they can be read"));
    });
}

#[test]
fn a_run_that_has_ended_stays_as_it_ended() {
    each(async |world: World| {
        let (store, flow) = (&world.store, world.workflow().await);
        let body = json!({"message": "stopped"});
        for end in ["ERROR", "LOST", "COMPLETED", "CANCELLED"].map(|end| format!("RUN_STATUS_{end}")) {
            let run = world.run(&flow, "RUN_STATUS_CREATED").await;
            assert!(run.project == flow.project && run.id.len() == 30 && run.ended_at.is_none());
            let begin = store.append(&run.id, "started", &body, Some(("RUN_STATUS_ACTIVE", ""))).await;
            begin.expect("it can begin");
            store.append(&run.id, "finished", &body, Some((&end, "as it is"))).await.expect("it can end");
            let ended = store.run(&run.id).await.expect("it is there");
            assert!(ended.started_at.is_some() && ended.ended_at.is_some() && ended.message == "as it is");
            store.append(&run.id, "log", &body, None).await.expect("a line may come late");
            store.append(&run.id, "finished", &body, Some(("RUN_STATUS_ERROR", "late"))).await.expect("no failure");
            let again = store.append(&run.id, "started", &body, Some(("RUN_STATUS_ACTIVE", ""))).await;
            assert!(matches!(again, Err(StoreError::Refused(_))));
            assert_eq!(store.request_cancel(&run.id, "user_1", ("finished", &body)).await.expect("no failure"), ended);
            assert_eq!(store.events(&run.id, 0).await.expect("they can be read").len(), 3);
        }
        assert_eq!(store.open_runs().await.expect("they can be listed"), []);
        let odd = NewRun { status: "RUN_STATUS_ACTIVE", ..NewRun::pending(&flow.id, "", "") };
        assert!(matches!(store.create_run(&odd).await, Err(StoreError::Refused(_))));
        let lost = store.create_run(&NewRun::pending("w_0", "", "")).await;
        assert!(matches!(lost, Err(StoreError::NotFound { .. })));
        assert!(matches!(store.append("wr_0", "log", &body, None).await, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn what_has_not_begun_is_cancelled_at_once_and_what_has_is_asked_to_stop() {
    each(async |world: World| {
        let (store, flow) = (&world.store, world.workflow().await);
        let finished = json!({"status": "RUN_STATUS_CANCELLED", "message": "before it began"});
        for status in ["RUN_STATUS_CREATED", "RUN_STATUS_PENDING"] {
            let run = world.run(&flow, status).await;
            let run = store.request_cancel(&run.id, "user_1", ("finished", &finished)).await.expect("it is there");
            assert_eq!((run.status.as_str(), run.message.as_str()), ("RUN_STATUS_CANCELLED", "before it began"));
            assert!(run.cancel_by == "user_1" && run.cancel_at.is_some() && run.ended_at.is_some());
            assert_eq!(store.events(&run.id, 0).await.expect("they can be read")[0].body, finished);
        }
        let run = world.run(&flow, "RUN_STATUS_PENDING").await.id;
        let active = Some(("RUN_STATUS_ACTIVE", ""));
        store.append(&run, "started", &json!({}), active).await.expect("it can begin");
        let asked = store.request_cancel(&run, "user_1", ("finished", &finished)).await.expect("it is there");
        assert!(asked.status == "RUN_STATUS_CANCELLING" && asked.ended_at.is_none() && asked.started_at.is_some());
        let twice = store.request_cancel(&run, "user_2", ("finished", &finished)).await.expect("it is there");
        assert_eq!(twice, asked);
        store.append(&run, "started", &json!({}), active).await.expect("it may be taken up to be ended");
        assert_eq!(store.run(&run).await.expect("it is there").status, "RUN_STATUS_CANCELLING");
        let open = store.unfinished_runs(&flow.id).await.expect("they can be listed");
        assert_eq!(open.iter().map(|run| &run.id).collect::<Vec<_>>(), [&run]);
        let end = Some(("RUN_STATUS_CANCELLED", "stopped"));
        store.append(&run, "finished", &finished, end).await.expect("it can end");
        assert_eq!(store.run(&run).await.expect("it is there").cancel_by, "user_1");
    });
}

#[test]
fn each_action_has_one_task_which_ends_once() {
    each(async |world: World| {
        let (store, run) = (&world.store, world.run(&world.workflow().await, "RUN_STATUS_CREATED").await.id);
        store.create_tasks(&run, &[("read", "s3_source"), ("model", "gretel_model")]).await.expect("they can be made");
        let made = store.tasks(&run).await.expect("they can be listed");
        store.create_tasks(&run, &[("read", "s3_source"), ("model", "gretel_model")]).await.expect("again is as good");
        assert_eq!(store.tasks(&run).await.expect("they can be listed"), made);
        assert_eq!(made.iter().map(|task| task.action.as_str()).collect::<Vec<_>>(), ["read", "model"]);
        assert!(made[0].id.len() == 30 && made[0].id.starts_with("wt_") && made[0].status == "RUN_STATUS_CREATED");
        store.set_task(&run, "read", "RUN_STATUS_ACTIVE", None).await.expect("it can be set");
        let error = Some(("s3.denied", "access denied"));
        store.set_task(&run, "read", "RUN_STATUS_ERROR", error).await.expect("it can be set");
        let ended = store.task(&made[0].id).await.expect("it is there");
        assert_eq!((ended.error_code.as_str(), ended.error_msg.as_str()), ("s3.denied", "access denied"));
        assert!(ended.started_at.is_some() && ended.ended_at.is_some());
        store.set_task(&run, "read", "RUN_STATUS_COMPLETED", None).await.expect("no failure");
        assert_eq!(store.task(&made[0].id).await.expect("it is there"), ended);
        assert_eq!(store.tasks(&run).await.expect("they can be listed")[1], made[1]);
    });
}

#[test]
fn a_done_mark_comes_with_all_that_belongs_to_it() {
    each(async |world: World| {
        let (store, flow) = (&world.store, world.workflow().await);
        let run = world.run(&flow, "RUN_STATUS_PENDING").await.id;
        let unit = |key: &str| UnitKey { branch: "crawl".into(), bucket: "b".into(), key: key.into() };
        // In the order of their bytes, whatever the language of the database.
        let keys = ["B.csv", "a.csv", "a/b.csv", "a_b.csv", "z\n.csv", "é.csv"];
        let units: Vec<(UnitKey, String)> = keys.iter().rev().map(|key| (unit(key), "v1".to_string())).collect();
        store.plan_units(&run, &units, ("crawled", &json!({}))).await.expect("they can be planned");
        let listed = store.units(&run).await.expect("they can be listed");
        assert_eq!(listed.iter().map(|row| row.unit.key.as_str()).collect::<Vec<_>>(), keys);
        let kept = ArtifactRow {
            unit: unit("a.csv"),
            action: "model".into(),
            kind: "report_json".into(),
            name: "report.json".into(),
            path: "artifacts/r/report.json".into(),
            bytes: 2,
        };
        let mark = DoneMark { targets: vec!["out/a.csv".into()], artifacts: vec![kept.clone()] };
        let event = ("unit_done", &json!({"key": "a.csv"}));
        store.unit_done(&flow.id, &run, &unit("a.csv"), "v1", &mark, event).await.expect("it can be marked");
        let failure = ("table.empty", "no rows");
        let event = ("unit_failed", &json!({"key": "B.csv"}));
        store.unit_failed(&run, &unit("B.csv"), failure, &[], event).await.expect("it can be marked");

        let done = store.done(&flow.id, "crawl", "b").await.expect("it can be asked");
        assert_eq!(
            done.iter().map(|(key, done)| (key.as_str(), done.run.as_str())).collect::<Vec<_>>(),
            [("a.csv", run.as_str())]
        );
        assert_eq!(store.claims(&flow.id).await.expect("it can be asked")["out/a.csv"], unit("a.csv"));
        assert_eq!(store.artifacts(&run).await.expect("they can be listed"), [kept]);
        let reports = store.last_reports(&flow.id, "crawl", "b").await.expect("it can be asked");
        assert_eq!(reports["a.csv"], (run.clone(), "artifacts/r/report.json".to_string()));
        let states: Vec<String> =
            store.units(&run).await.expect("they can be listed").into_iter().map(|row| row.state).collect();
        assert_eq!(states[..3], ["failed", "done", "waiting"]);
        in_order(&store.events(&run, 0).await.expect("they can be read"));

        // A mark whose run is not there leaves nothing.
        let event = ("unit_done", &json!({}));
        let lost = store.unit_done(&flow.id, "wr_0", &unit("a/b.csv"), "v1", &mark, event).await;
        assert!(matches!(lost, Err(StoreError::NotFound { .. })));
        assert_eq!(store.done(&flow.id, "crawl", "b").await.expect("it can be asked").len(), 1);

        let passed = store.let_through(&run, "B.csv", "table.empty", "it is known").await.expect("it was refused");
        assert_eq!(store.overrides(&flow.id).await.expect("it can be asked")[&unit("B.csv")], passed);
        store.withdraw_override(&flow.id, "B.csv").await.expect("it is there");
        assert!(matches!(store.withdraw_override(&flow.id, "B.csv").await, Err(StoreError::Refused(_))));
    });
}

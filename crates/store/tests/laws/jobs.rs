//! Jobs, their logs, and the audit log.

use serde_json::json;
use store::{AuditEntry, JobEdit, JobFilter, NewJob, Page, StoreError};

use crate::world::{World, each};

fn status(status: &str) -> JobEdit {
    JobEdit { status: Some(status.into()), ..JobEdit::default() }
}

#[test]
fn a_job_ends_once_and_stops_when_asked() {
    each(async |world: World| {
        let (store, project) = (&world.store, world.project("one", None).await);
        let new = NewJob { kind: "model".into(), project: project.id.clone(), ..NewJob::default() };
        let job = store.create_job(&new).await.expect("it can be made");
        assert!(job.uid.len() == 24 && job.status == "created" && !job.cancel_asked && job.facts == "{}");
        let active = store.set_job(&job.uid, &status("active")).await.expect("it is there");
        assert!(active.started_at.is_some() && active.ended_at.is_none());
        let asked = store.cancel_job(&job.uid).await.expect("it is there");
        assert!(asked.cancel_asked && asked.status == "active" && asked.ended_at.is_none());
        assert_eq!(store.open_jobs().await.expect("they can be listed"), [asked]);
        let failed = JobEdit { error_msg: Some("no rows".into()), ..status("error") };
        let failed = store.set_job(&job.uid, &failed).await.expect("it is there");
        assert!(failed.ended_at.is_some() && failed.error_msg.as_deref() == Some("no rows"));
        let late = JobEdit { error_msg: Some("x".into()), facts: Some("{\"rows\":3}".into()), ..status("completed") };
        let late = store.set_job(&job.uid, &late).await.expect("it is there");
        assert_eq!((late.status.as_str(), late.error_msg.as_deref()), ("error", Some("no rows")));
        assert_eq!((late.ended_at, late.facts.as_str()), (failed.ended_at, "{\"rows\":3}"));
        assert_eq!(store.cancel_job(&job.uid).await.expect("no failure"), late);

        let waiting = store.create_job(&new).await.expect("it can be made");
        let stopped = store.cancel_job(&waiting.uid).await.expect("it is there");
        assert!(stopped.status == "cancelled" && stopped.ended_at.is_some());
        assert!(matches!(store.cancel_job("0").await, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn jobs_are_found_and_go_with_their_model() {
    each(async |world: World| {
        let (store, project) = (&world.store, world.project("one", None).await);
        let new = |kind: &str, model: &str, name: &str| NewJob {
            kind: kind.into(),
            project: project.id.clone(),
            model: model.into(),
            name: name.into(),
            run: if name.is_empty() { "wr_1".into() } else { String::new() },
            ..NewJob::default()
        };
        let model = store.create_job(&new("model", "", "My Model")).await.expect("it can be made").uid;
        let other = store.create_job(&new("model", "", "other_model")).await.expect("it can be made").uid;
        let handler = store.create_job(&new("handler", &model, "")).await.expect("it can be made").uid;
        let find = async |filter: JobFilter| -> Vec<String> {
            let (found, total) = store.jobs(&filter, &Page::newest(10)).await.expect("it can be asked");
            assert_eq!(total, found.len() as i64);
            found.into_iter().map(|job| job.uid).collect()
        };
        let all = JobFilter { project: Some(project.id.clone()), ..JobFilter::default() };
        assert_eq!(find(all.clone()).await, [handler.clone(), other.clone(), model.clone()]);
        assert_eq!(find(JobFilter { name: Some("MY M".into()), ..all.clone() }).await, std::slice::from_ref(&model));
        assert_eq!(find(JobFilter { kind: Some("model".into()), ..all.clone() }).await, [other.clone(), model.clone()]);
        assert_eq!(find(JobFilter { model: Some(model.clone()), ..all.clone() }).await, std::slice::from_ref(&handler));
        assert_eq!(find(JobFilter { run: Some("wr_1".into()), ..all.clone() }).await, std::slice::from_ref(&handler));
        assert!(find(JobFilter { statuses: vec!["active".into()], ..all.clone() }).await.is_empty());
        for uid in [&model, &handler] {
            std::fs::create_dir_all(store.job_dir(uid)).expect("a folder can be made");
        }
        store.delete_job(&model).await.expect("it is there");
        assert_eq!(find(all).await, [other]);
        assert!(!store.job_dir(&model).exists() && !store.job_dir(&handler).exists());
    });
}

#[test]
fn lines_of_a_log_keep_their_order() {
    each(async |world: World| {
        let (store, project) = (&world.store, world.project("one", None).await);
        let new = NewJob { kind: "model".into(), project: project.id.clone(), ..NewJob::default() };
        let uid = store.create_job(&new).await.expect("it can be made").uid;
        let mut writers = Vec::new();
        for writer in [world.store.clone(), world.again().await] {
            let uid = uid.clone();
            writers.push(tokio::spawn(async move {
                for line in 0..20 {
                    writer.append_job_log(&uid, "train", "epoch", &json!({"epoch": line})).await.expect("it can be");
                }
            }));
        }
        for writer in writers {
            writer.await.expect("no writer panics");
        }
        let all = store.job_log(&uid, 0).await.expect("it can be read");
        assert!(all.len() == 40 && all.iter().zip(1..).all(|(line, seq)| line.seq == seq));
        assert!(all.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!(store.job_log(&uid, 35).await.expect("it can be read"), all[35..]);
        assert_eq!((all[0].stage.as_str(), all[0].msg.as_str(), &all[0].ctx), ("train", "epoch", &json!({"epoch": 0})));
        world.sql("UPDATE job_log SET at = at + 1000000000000").await;
        store.append_job_log(&uid, "post", "", &json!({})).await.expect("it can be appended");
        let all = store.job_log(&uid, 39).await.expect("it can be read");
        assert!(all[0].at < all[1].at);
        let lost = store.append_job_log("0", "train", "", &json!({})).await;
        assert!(matches!(lost, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn an_audit_log_is_read_backwards_without_a_gap() {
    each(async |world: World| {
        let mut writers = Vec::new();
        for (number, store) in [world.store.clone(), world.again().await].into_iter().enumerate() {
            writers.push(tokio::spawn(async move {
                for note in 0..15 {
                    let entry = AuditEntry {
                        user: "user_1".into(),
                        verb: "delete".into(),
                        kind: "connection".into(),
                        id: "c_1".into(),
                        project: format!("proj_{number}"),
                        note: note.to_string(),
                        ..AuditEntry::default()
                    };
                    store.audit(&entry).await.expect("it can be written");
                }
            }));
        }
        for writer in writers {
            writer.await.expect("no writer panics");
        }
        let all = world.store.audit_log(None, None, 100).await.expect("it can be read");
        assert!(all.len() == 30 && all.windows(2).all(|pair| pair[0].at > pair[1].at));
        let (mut read, mut before) = (Vec::new(), None);
        loop {
            let page = world.store.audit_log(None, before, 7).await.expect("it can be read");
            let Some(last) = page.last() else { break };
            before = Some(last.at);
            read.extend(page);
        }
        assert_eq!(read, all);
        // With the clock set back, entries take the next free time, also those that come at once.
        world.sql("UPDATE audit SET at = at + 1000000000000").await;
        let (other, last) = (world.again().await, AuditEntry { note: "last".into(), ..AuditEntry::default() });
        for _ in 0..10 {
            let (one, two) = tokio::join!(world.store.audit(&last), other.audit(&last));
            one.and(two).expect("it can be written");
        }
        let newest = world.store.audit_log(None, None, 20).await.expect("it can be read");
        assert!(newest.iter().all(|entry| entry.note == "last"));
        let of_one = world.store.audit_log(Some("proj_1"), None, 100).await.expect("it can be read");
        let notes: Vec<String> = of_one.into_iter().map(|entry| entry.note).collect();
        assert_eq!(notes, (0..15).rev().map(|note| note.to_string()).collect::<Vec<_>>());
    });
}

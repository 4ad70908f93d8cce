//! Pages of records.

use std::time::{Duration, Instant};

use store::{ConnectionFilter, Page, RunFilter, Sort, Store, WorkflowFilter};

use crate::world::{World, connection, each};

fn page(limit: i64, skip: i64, sort: Sort) -> Page {
    Page { limit, skip, sort }
}

#[test]
fn pages_put_together_are_the_whole_and_hold_only_what_is_in_sight() {
    each(async |world: World| {
        let store = &world.store;
        let (one, two) = (world.project("one", None).await, world.project("two", None).await);
        let mut flows = Vec::new();
        for (project, name) in [(&one, "a"), (&one, "b"), (&two, "c")] {
            flows.push(store.workflow(&project.id, name).await.expect("it can be made"));
        }
        let mut made = Vec::new();
        for index in 0..12 {
            made.push(world.run(&flows[index % 3], "RUN_STATUS_PENDING").await);
        }
        let body = serde_json::json!({});
        let error = Some(("RUN_STATUS_ERROR", ""));
        store.append(&made[4].id, "finished", &body, error).await.expect("it can end");
        for sort in [Sort::CreatedAsc, Sort::CreatedDesc, Sort::UpdatedAsc, Sort::UpdatedDesc] {
            let all = RunFilter::default();
            let (whole, total) = store.runs_page(&all, &page(100, 0, sort)).await.expect("it can be asked");
            let mut parts = Vec::new();
            for skip in (0..15).step_by(5) {
                let (part, of) = store.runs_page(&all, &page(5, skip, sort)).await.expect("it can be asked");
                assert_eq!(of, total);
                parts.extend(part);
            }
            assert!(total == 12 && parts == whole);
            let by_change = matches!(sort, Sort::UpdatedAsc | Sort::UpdatedDesc);
            let mut times: Vec<i64> =
                whole.iter().map(|run| if by_change { run.updated_at } else { run.created_at }).collect();
            if matches!(sort, Sort::CreatedDesc | Sort::UpdatedDesc) {
                times.reverse();
            }
            assert!(times.is_sorted());
        }
        let total = async |filter: RunFilter| -> (usize, i64) {
            let (found, total) = store.runs_page(&filter, &Page::newest(3)).await.expect("it can be asked");
            (found.len(), total)
        };
        let sight = |projects: &[&store::Project]| Some(projects.iter().map(|project| project.id.clone()).collect());
        assert_eq!(total(RunFilter { projects: sight(&[&one]), ..RunFilter::default() }).await, (3, 8));
        assert_eq!(total(RunFilter { projects: sight(&[]), ..RunFilter::default() }).await, (0, 0));
        let ids = vec![made[2].id.clone(), made[3].id.clone()];
        assert_eq!(total(RunFilter { ids: ids.clone(), ..RunFilter::default() }).await, (2, 2));
        assert_eq!(total(RunFilter { ids, projects: sight(&[&two]), ..RunFilter::default() }).await, (1, 1));
        assert_eq!(total(RunFilter { workflows: vec![flows[1].id.clone()], ..RunFilter::default() }).await, (3, 4));
        let failed = vec!["RUN_STATUS_ERROR".to_string()];
        assert_eq!(total(RunFilter { statuses: failed, ..RunFilter::default() }).await, (1, 1));

        let seen = WorkflowFilter { projects: sight(&[&one]), ..WorkflowFilter::default() };
        let (found, of) = store.workflows_page(&seen, &page(1, 1, Sort::CreatedAsc)).await.expect("it can be asked");
        assert_eq!((found, of), (vec![flows[1].clone()], 2));
        let kept = store.create_connection(connection(&one, "x")).await.expect("it can be made");
        for (projects, count) in [(sight(&[&one]), 1), (sight(&[&two]), 0), (None, 1)] {
            let filter = ConnectionFilter { projects, ids: vec![kept.id.clone()] };
            let (found, of) = store.connections_page(&filter, &Page::newest(9)).await.expect("it can be asked");
            assert_eq!((found.len(), of), (count as usize, count));
        }
    });
}

/// How long a call takes at its best of five: what else runs on the machine is no matter of the store.
async fn best(call: impl AsyncFn() -> usize) -> (usize, Duration) {
    let mut best = Duration::MAX;
    let mut count = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        count = call().await;
        best = best.min(begun.elapsed());
    }
    (count, best)
}

#[test]
fn ten_thousand_runs_and_a_hundred_thousand_done_marks_slow_no_page() {
    each(async |world: World| {
        fill(&world).await;
        let store: &Store = &world.store;
        let flows =
            store.workflows_page(&WorkflowFilter::default(), &Page::newest(50)).await.expect("it can be asked").0;
        let projects: Vec<String> = flows.iter().map(|flow| flow.project.clone()).collect();
        let runs = async |filter: RunFilter, page: Page| -> usize {
            store.runs_page(&filter, &page).await.expect("it can be asked").0.len()
        };
        let some = RunFilter { projects: Some(projects), ..RunFilter::default() };
        let of_one = RunFilter { workflows: vec![flows[0].id.clone()], ..RunFilter::default() };
        let failed = RunFilter { statuses: vec!["RUN_STATUS_ERROR".into()], ..RunFilter::default() };
        let mut seen = Vec::new();
        for sort in [Sort::CreatedDesc, Sort::UpdatedDesc] {
            for (name, filter) in
                [("all", &RunFilter::default()), ("some", &some), ("one", &of_one), ("failed", &failed)]
            {
                seen.push((name, best(async || runs(filter.clone(), page(25, 0, sort)).await).await));
            }
            seen.push(("last", best(async || runs(RunFilter::default(), page(25, 9_975, sort)).await).await));
        }
        seen.push(("open", best(async || store.open_runs().await.expect("it can be asked").len()).await));
        let last = flows.last().expect("there are some").id.clone();
        let log = async || store.task_events("wr_1", "a", 50_000, 1_000).await.expect("it can be read").len();
        seen.push(("log", best(log).await));
        for skip in [0, 90_000] {
            let objects = async || store.units_page("wr_1", "", 1_000, skip).await.expect("it can be asked").len();
            seen.push(("objects", best(objects).await));
            let files = async || store.artifacts_page("wr_1", "", 1_000, skip).await.expect("it can be asked").len();
            seen.push(("files", best(files).await));
        }
        let failed = store.units_page("wr_1", "failed", 30, 90).await.expect("it can be asked");
        assert_eq!(failed.len(), 10);
        assert!(failed.iter().all(|row| row.state == "failed"));
        let reports = store.artifacts_page("wr_1", "report_json", 2, 0).await.expect("it can be asked");
        assert_eq!(reports.len(), 2);
        assert!(reports.iter().all(|row| row.kind == "report_json"));
        let (count, whole) = best(async || store.done(&last, "b", "b").await.expect("it can be asked").len()).await;
        for (name, (count, time)) in &seen {
            assert!(*count > 0, "{name}");
            assert!(*time < Duration::from_millis(100), "{name}: {time:?}");
        }
        assert_eq!(count, 100_000);
        // Not a page: all marks of a workflow at once, as a run begins.
        assert!(whole < Duration::from_secs(3), "{whole:?}");
    });
}

/// 5 workflows in 5 projects, 10,000 runs with texts of 4 kB, one of them with 100,000 events, 100,000 done marks.
async fn fill(world: &World) {
    const NUMBERS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ";
    for index in 0..5 {
        let project = world.project(&format!("project-{index}"), None).await;
        world.store.workflow(&project.id, "flow").await.expect("it can be made");
    }
    let texts = [
        format!(
            "INSERT INTO runs (id, workflow, project, name, status, created_by, cancel_by, retry_of, scheduled, created_at,
             ended_at, updated_at, message, options, config) {NUMBERS} 10000) SELECT 'wr_' || n, w.id, w.project, '',
             CASE WHEN n % 50 = 0 THEN 'RUN_STATUS_ERROR' WHEN n % 500 = 1 THEN 'RUN_STATUS_ACTIVE'
             ELSE 'RUN_STATUS_COMPLETED' END, '', '', '', 0, n, CASE WHEN n % 500 = 1 THEN NULL ELSE n END,
             (n * 7919) % 10000, '', '', '{}' FROM numbers
             JOIN (SELECT id, project, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place FROM workflows) w
             ON w.place = n % 5",
            "x".repeat(4096)
        ),
        format!(
            "INSERT INTO events (run, seq, at, kind, action, body) {NUMBERS} 100000) SELECT 'wr_1', n, n, 'log', CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END,
             '{{\"text\":\"a line of a log\"}}' FROM numbers"
        ),
        format!(
            "INSERT INTO units (run, branch, bucket, key, identity, state, code, message) {NUMBERS} 100000) SELECT 'wr_1', 'b', 'b', 'key/' || n || '.csv',
             'v1', CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'done' END, '', '' FROM numbers"
        ),
        format!(
            "INSERT INTO artifacts (run, branch, bucket, key, action, kind, name, path, bytes) {NUMBERS} 100000) SELECT 'wr_1', 'b', 'b', 'key/' || n || '.csv',
             'm', CASE WHEN n % 2 = 0 THEN 'report_json' ELSE 'model' END, 'n', 'p', 1 FROM numbers"
        ),
        format!(
            "INSERT INTO done (workflow, branch, bucket, key, identity, run, at) {NUMBERS} 100000) SELECT w.id, 'b', 'b', 'key/' || n || '.csv', 'v1', 'wr_1', n FROM numbers
             JOIN (SELECT id FROM workflows ORDER BY created_at, id LIMIT 1) w ON 1 = 1"
        ),
    ];
    let pool = world.pool().await;
    for text in texts {
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&pool).await.expect("the statement is right");
    }
    if world.database.is_some() {
        // A server does this by itself, within a minute or so.
        sqlx::query("ANALYZE").execute(&pool).await.expect("the statement is right");
    }
    pool.close().await;
}

//! Opening: what is made, what is refused.

use store::{Store, StoreError};

use crate::world::{World, connection, each};

#[test]
fn a_home_opens_twice_at_once_and_is_the_same() {
    each(async |world: World| {
        let (one, two) = tokio::join!(world.again(), world.again());
        let (one, two) = tokio::join!(one.default_project(), two.default_project());
        assert_eq!(one.expect("a home has a project").id, two.expect("a home has a project").id);
    });
}

#[test]
fn a_database_has_one_server_whatever_homes_it_has() {
    each(async |world: World| {
        let lock = world.store.lone_server().await.expect("nobody has the right");
        let Some(database) = world.database.as_deref() else { return };
        let home = world.folder.path().join("another");
        let other = Store::open(&home, None, Some(database)).await.expect("another home may use the database");
        assert!(matches!(other.lone_server().await, Err(StoreError::Unusable(_))));
        drop(lock);
        // The server notices that the connection is gone a moment later.
        let mut taken = other.lone_server().await;
        while taken.is_err() {
            taken = other.lone_server().await;
        }
        assert!(other.still_lone(&mut taken.expect("it was taken")).await.expect("it can be asked"));
    });
}

#[test]
fn a_database_of_another_version_is_refused() {
    each(async |world: World| {
        world.sql("UPDATE version SET number = 999").await;
        let error = world.open(None).await.err().expect("a newer version is refused").to_string();
        assert!(error.contains("999"), "{error}");
        world.sql("UPDATE version SET number = 2").await;
        let error = world.open(None).await.err().expect("a development version is refused");
        assert!(
            matches!(&error, StoreError::Unusable(text) if text.contains("move the home directory away")),
            "{error}"
        );
    });
}

#[test]
fn what_is_no_database_is_refused_without_its_password() {
    each(async |world: World| {
        let home = world.folder.path().join("elsewhere");
        for url in ["mysql://ann:s3cret@db/h", "postgres://ann:s3cret@127.0.0.1:1/h?connect_timeout=1"] {
            let error = Store::open(&home, None, Some(url)).await.err().expect("nothing is there");
            assert!(matches!(error, StoreError::Unusable(_)));
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    });
}

#[cfg(unix)]
#[test]
fn what_a_home_holds_is_its_owners_and_no_secret_is_in_the_clear() {
    use std::os::unix::fs::PermissionsExt;
    each(async |world: World| {
        let project = world.project("one", None).await;
        let made = world.store.create_connection(connection(&project, "open-sesame")).await.expect("it can be made");
        let user = world.user("ann@example.com").await;
        let (_, text) = world.store.create_key(&user.id, "laptop", None).await.expect("a key can be made");
        assert!(made.credentials);
        for entry in std::fs::read_dir(world.store.home()).expect("the home is there") {
            let path = entry.expect("it can be read").path();
            let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
            let bytes = std::fs::read(&path).expect("it can be read");
            for secret in ["open-sesame", text.as_str()] {
                assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
            }
        }
    });
}

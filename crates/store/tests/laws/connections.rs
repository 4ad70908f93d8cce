//! Connections and their credentials.

use serde_json::json;
use store::{ConnectionEdit, StoreError};

use crate::world::{World, connection, each};

#[test]
fn credentials_open_in_their_own_row_only() {
    each(async |world: World| {
        let (store, one, two) = (&world.store, world.project("one", None).await, world.project("two", None).await);
        let a = store.create_connection(connection(&one, "secret a")).await.expect("it can be made");
        let b = store.create_connection(connection(&one, "secret b")).await.expect("it can be made");
        let c = store.create_connection(connection(&two, "secret c")).await.expect("it can be made");
        assert!(
            a.id.len() == 29 && a.id.starts_with("c_") && a.credentials && !a.encrypted && a.validation == "UNKNOWN"
        );
        let open = async |id: &str| store.open_credentials(id).await.map(|plain| plain.expect("it has some").to_vec());
        for (made, secret) in [(&a, "secret a"), (&b, "secret b"), (&c, "secret c")] {
            assert_eq!(open(&made.id).await.expect("it opens"), secret.as_bytes());
        }
        // What one row holds is put into another of the same project, of another project, and into another column.
        let pool = world.pool().await;
        let copy = "UPDATE connections SET sealed = (SELECT sealed FROM connections WHERE id = $2) WHERE id = $1";
        for (to, from) in [(&b, &a), (&c, &a)] {
            sqlx::query(copy).bind(&to.id).bind(&from.id).execute(&pool).await.expect("the statement is right");
            assert!(matches!(open(&to.id).await, Err(StoreError::Unusable(_))));
        }
        let move_it = "UPDATE connections SET project = $2 WHERE id = $1";
        sqlx::query(move_it).bind(&a.id).bind(&two.id).execute(&pool).await.expect("the statement is right");
        assert!(matches!(open(&a.id).await, Err(StoreError::Unusable(_))));
        sqlx::query(move_it).bind(&a.id).bind(&one.id).execute(&pool).await.expect("the statement is right");
        assert!(open(&a.id).await.is_ok());
        let turn = "UPDATE connections SET encrypted = 1 WHERE id = $1";
        sqlx::query(turn).bind(&a.id).execute(&pool).await.expect("the statement is right");
        assert!(matches!(store.encrypted_credentials(&a.id).await, Err(StoreError::Unusable(_))));
        pool.close().await;
    });
}

#[test]
fn an_edit_changes_what_it_names_and_no_more() {
    each(async |world: World| {
        let (store, project) = (&world.store, world.project("one", None).await);
        let made = store.create_connection(connection(&project, "first")).await.expect("it can be made");
        let valid = ConnectionEdit {
            validation: Some(("VALID".into(), "as `ann`".into())),
            auth_strategy: Some("role".into()),
            ..ConnectionEdit::default()
        };
        let tried = store.update_connection(&made.id, valid).await.expect("it is there");
        assert_eq!((tried.validation.as_str(), tried.validation_message.as_str()), ("VALID", "as `ann`"));
        assert!(tried.updated_at >= made.updated_at && tried.auth_strategy == "role" && tried.config == made.config);
        let named = ConnectionEdit { name: Some("other".into()), ..ConnectionEdit::default() };
        let named = store.update_connection(&made.id, named).await.expect("it is there");
        assert_eq!((named.name.as_str(), named.validation.as_str()), ("other", "VALID"));
        assert_eq!(
            store.open_credentials(&made.id).await.expect("it opens").expect("it has some").as_slice(),
            b"first"
        );

        let theirs = json!({"aws_kms": {"key_arn": "arn", "data": "AAAA"}});
        let edit = ConnectionEdit { encrypted_credentials: Some(theirs.clone()), ..ConnectionEdit::default() };
        let edited = store.update_connection(&made.id, edit).await.expect("it is there");
        assert!(edited.encrypted && !edited.credentials && edited.validation == "UNKNOWN");
        assert_eq!(store.open_credentials(&made.id).await.expect("it can be asked"), None);
        assert_eq!(store.encrypted_credentials(&made.id).await.expect("it opens"), Some(theirs.clone()));

        let both = store::NewConnection { encrypted_credentials: Some(theirs), ..connection(&project, "x") };
        assert!(matches!(store.create_connection(both).await, Err(StoreError::Refused(_))));
        for name in ["ab", "With Capitals", "a/b"] {
            let new = store::NewConnection { name: name.into(), ..connection(&project, "x") };
            assert!(matches!(store.create_connection(new).await, Err(StoreError::Refused(_))), "{name}");
        }
        store.delete_connection(&made.id).await.expect("it is there");
        assert!(matches!(store.connection(&made.id).await, Err(StoreError::NotFound { .. })));
    });
}

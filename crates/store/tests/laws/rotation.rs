//! The key of a home: another one does not open what it sealed, and its change leaves nothing behind.

use std::sync::Arc;

use store::{ConnectionEdit, HomeKey, KeyService, Rotation, Store, StoreError};
use zeroize::Zeroizing;

use crate::world::{World, connection, each};

const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";

async fn opens(store: &Store, id: &str) -> Option<String> {
    let plain = store.open_credentials(id).await.ok()??;
    Some(String::from_utf8_lossy(&plain).into_owned())
}

#[test]
fn another_key_opens_nothing_and_seals_nothing() {
    each(async |world: World| {
        let store = world.open(Some(ONE)).await.expect("a key is 64 digits");
        let project = world.project("one", None).await;
        let a = store.create_connection(connection(&project, "a")).await.expect("it can be made");
        let b = store.create_connection(connection(&project, "b")).await.expect("it can be made");
        let other = world.open(Some(TWO)).await.expect("a key is 64 digits");
        assert!(matches!(other.open_credentials(&a.id).await, Err(StoreError::Unusable(_))));
        assert!(matches!(other.create_connection(connection(&project, "x")).await, Err(StoreError::Unusable(_))));
        assert!(matches!(other.rotate_keys(Some(ONE), true).await, Err(StoreError::Unusable(_))));
        assert!(matches!(world.open(Some("11")).await, Err(StoreError::Unusable(_))));

        // The first key is lost: once what it sealed is gone or replaced, the second is as good.
        other.delete_connection(&a.id).await.expect("it is there");
        let edit = ConnectionEdit { credentials: Some(b"new".to_vec().into()), ..ConnectionEdit::default() };
        other.update_connection(&b.id, edit).await.expect("what is replaced need not be opened");
        assert_eq!(opens(&other, &b.id).await.as_deref(), Some("new"));
        assert_eq!(opens(&store, &b.id).await, None);
    });
}

#[test]
fn after_a_rotation_the_new_key_opens_everything_and_the_old_one_nothing() {
    each(async |world: World| {
        let store = world.open(Some(ONE)).await.expect("a key is 64 digits");
        let (one, two) = (world.project("one", None).await, world.project("two", None).await);
        let mut made = Vec::new();
        for (project, secret) in [(&one, "a"), (&one, "b"), (&two, "c")] {
            made.push((store.create_connection(connection(project, secret)).await.expect("it can be made").id, secret));
        }
        let theirs = store::NewConnection {
            credentials: None,
            encrypted_credentials: Some(serde_json::json!({"gcp_kms": {}})),
            ..connection(&two, "")
        };
        let theirs = store.create_connection(theirs).await.expect("it can be made").id;
        assert!(matches!(store.rotate_keys(None, true).await, Err(StoreError::Refused(_))));
        assert!(matches!(store.rotate_keys(Some("2"), true).await, Err(StoreError::Refused(_))));
        let mut keys = (ONE, TWO);
        for (fresh, values) in [(false, 0), (true, 4)] {
            let rotated = store.rotate_keys(Some(keys.1), fresh).await.expect("the key is right");
            assert_eq!(rotated, Rotation { data_keys: 2, values });
            let new = world.open(Some(keys.1)).await.expect("a key is 64 digits");
            let old = world.open(Some(keys.0)).await.expect("a key is 64 digits");
            for (id, secret) in &made {
                assert_eq!(opens(&store, id).await.as_deref(), Some(*secret));
                assert_eq!(opens(&new, id).await.as_deref(), Some(*secret));
                assert_eq!(opens(&old, id).await, None);
            }
            assert!(new.encrypted_credentials(&theirs).await.expect("it opens").is_some());
            new.create_connection(connection(&one, "later")).await.expect("it can be made");
            made.push((store.create_connection(connection(&one, "d")).await.expect("it can be made").id, "d"));
            new.delete_connection(&made.pop().expect("one was made").0).await.expect("it is there");
            let later = new.connections(Some(&one.id)).await.expect("they can be listed");
            new.delete_connection(&later[0].id).await.expect("it is there");
            keys = (keys.1, keys.0);
        }
    });
}

#[test]
fn a_key_file_is_replaced_with_its_database_or_not_at_all() {
    each(async |world: World| {
        let (store, home) = (&world.store, world.store.home());
        let project = world.project("one", None).await;
        let made = store.create_connection(connection(&project, "a")).await.expect("it can be made").id;
        let other = world.again().await;
        let before = std::fs::read(home.join("key")).expect("the key lies there");
        store.rotate_keys(None, true).await.expect("the key is right");
        let after = std::fs::read(home.join("key")).expect("the key lies there");
        assert!(before != after && !home.join("key.next").exists());
        // A process that knows only the old key takes the new one from the file.
        assert_eq!(opens(&other, &made).await.as_deref(), Some("a"));
        other.create_connection(connection(&project, "b")).await.expect("it can be made");

        // Cut off behind the commit: the new key lies beside the old one.
        std::fs::write(home.join("key"), &before).expect("it can be written");
        std::fs::write(home.join("key.next"), &after).expect("it can be written");
        let store = world.again().await;
        assert_eq!(opens(&store, &made).await.as_deref(), Some("a"));
        assert_eq!(std::fs::read(home.join("key")).expect("the key lies there"), after);
        assert!(!home.join("key.next").exists());

        // Cut off before the commit: what lies beside the key in force is of no use.
        std::fs::write(home.join("key.next"), &before).expect("it can be written");
        let store = world.again().await;
        assert_eq!(opens(&store, &made).await.as_deref(), Some("a"));
        assert!(!home.join("key.next").exists());
    });
}

/// A key service whose key is one byte, and which knows what it wrapped.
struct Service(u8);

impl KeyService for Service {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        Ok([b"wrapped".to_vec(), key.iter().map(|byte| byte ^ self.0).collect()].concat())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let body = wrapped.strip_prefix(b"wrapped").ok_or("InvalidCiphertextException")?;
        Ok(Zeroizing::new(body.iter().map(|byte| byte ^ self.0).collect()))
    }
}

#[test]
fn a_key_service_takes_over_the_key_of_a_home_and_never_leaves_it_in_the_clear() {
    each(async |world: World| {
        let home = world.store.home();
        let (project, service) = (world.project("one", None).await, HomeKey::Service(Arc::new(Service(0x55))));
        let open = async || Store::open_with(home, &service, world.database.as_deref()).await.expect("the home opens");
        let made = world.store.create_connection(connection(&project, "a")).await.expect("it can be made").id;
        let pair = world.store.encryption_key().await.expect("a pair can be made");
        let clear = std::fs::read_to_string(home.join("key")).expect("the key lies there");

        // The key in the file becomes the wrapped one, and what it sealed stays readable.
        let store = open().await;
        assert_eq!(opens(&store, &made).await.as_deref(), Some("a"));
        assert!(!home.join("key").exists());
        let wrapped = std::fs::read_to_string(home.join("key.kms")).expect("the wrapped key lies there");
        assert!(!wrapped.contains(clear.trim()));
        assert!(matches!(world.open(None).await, Err(StoreError::Unusable(text)) if text.contains("HANSEL_KEY_KMS")));

        store.rotate_keys(None, true).await.expect("the key is right");
        assert_ne!(std::fs::read_to_string(home.join("key.kms")).expect("it lies there"), wrapped);
        assert!(!home.join("key").exists() && !home.join("key.kms.next").exists());
        let store = open().await;
        assert_eq!(opens(&store, &made).await.as_deref(), Some("a"));
        assert_eq!(store.encryption_key().await.expect("it is there"), pair);
    });
}

//! Users, their keys and their roles.

use store::{NewUser, Role, StoreError};

use crate::world::{World, each};

#[test]
fn a_user_is_found_by_id_guid_and_address_in_any_case() {
    each(async |world: World| {
        let made = world.user("Ann@Example.com").await;
        assert!(made.id.len() == 24 && made.id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        assert!(made.guid.len() == 32 && made.guid.starts_with("user_"));
        for any in [made.id.as_str(), &made.guid, "ann@example.COM"] {
            assert_eq!(world.store.user(any).await.expect("it is there"), made);
        }
        for email in ["ANN@example.com", "ann", "@", "a b@c", ""] {
            let new = NewUser { email: email.into(), ..NewUser::default() };
            assert!(matches!(world.store.create_user(&new).await, Err(StoreError::Refused(_))), "{email}");
        }
        assert!(matches!(world.store.user("bob@example.com").await, Err(StoreError::NotFound { .. })));
        world.user("bob@example.com").await;
        let all: Vec<String> =
            world.store.users().await.expect("they can be listed").into_iter().map(|u| u.email).collect();
        assert_eq!(all, ["Ann@Example.com", "bob@example.com"]);
    });
}

#[test]
fn a_key_holds_until_it_expires_or_is_taken_back() {
    each(async |world: World| {
        let (store, ann) = (&world.store, world.user("ann@example.com").await);
        let (key, text) = store.create_key(&ann.id, "laptop", None).await.expect("a key can be made");
        assert!(text.len() == 64 && text.starts_with("grtu") && key.start == text[..8] && key.id.len() == 29);
        let whose = store.authenticate(&text).await.expect("it can be asked").expect("it holds");
        assert_eq!(whose, ann);
        assert!(store.keys(Some(&ann.id)).await.expect("they can be listed")[0].last_used_at.is_some());

        let mut other = text.to_string();
        other.replace_range(63.., if other.ends_with('0') { "1" } else { "0" });
        for wrong in [other.as_str(), "", "grtu", &text[..63], "' OR 1 = 1 --"] {
            assert_eq!(store.authenticate(wrong).await.expect("it can be asked"), None);
        }
        let (_, old) = store.create_key(&ann.id, "old", Some(1)).await.expect("a key can be made");
        assert_eq!(store.authenticate(&old).await.expect("it can be asked"), None);
        let (_, new) = store.create_key(&ann.id, "new", Some(i64::MAX)).await.expect("a key can be made");
        assert!(store.authenticate(&new).await.expect("it can be asked").is_some());

        // Asked before and remembered, and yet at once.
        let revoked = store.revoke_key(&key.id).await.expect("it is there");
        assert!(revoked.revoked_at.is_some());
        assert_eq!(store.authenticate(&text).await.expect("it can be asked"), None);
        assert_eq!(store.revoke_key(&key.id).await.expect("again is as good").revoked_at, revoked.revoked_at);
        assert!(matches!(store.revoke_key("k_0").await, Err(StoreError::NotFound { .. })));
        assert_eq!(store.keys(None).await.expect("they can be listed").len(), 3);
    });
}

#[test]
fn a_key_that_was_asked_for_lately_needs_no_database() {
    each(async |world: World| {
        let ann = world.user("ann@example.com").await;
        let (_, text) = world.store.create_key(&ann.id, "laptop", None).await.expect("a key can be made");
        world.store.authenticate(&text).await.expect("it can be asked").expect("it holds");
        world.sql("DELETE FROM api_keys").await;
        assert!(world.store.authenticate(&text).await.expect("it can be asked").is_some());
        assert_eq!(world.again().await.authenticate(&text).await.expect("it can be asked"), None);
    });
}

#[test]
fn roles_change_at_once_and_the_owner_stays() {
    each(async |world: World| {
        let (ann, bob) = (world.user("ann@example.com").await, world.user("bob@example.com").await);
        let (store, project) = (&world.store, world.project("one", Some(&ann)).await);
        let role = async |user: &str| store.role(&project.id, user).await.expect("it can be asked");
        assert_eq!((role(&ann.id).await, role(&bob.id).await), (Some(Role::Owner), None));
        for level in [Role::Read, Role::Administrator, Role::Write] {
            store.set_member(&project.id, &bob.id, level).await.expect("a role can be given");
            assert_eq!(role(&bob.id).await, Some(level));
        }
        let members = store.members(&project.id).await.expect("they can be listed");
        assert_eq!(members, [(ann.clone(), Role::Owner), (bob.clone(), Role::Write)]);
        store.remove_member(&project.id, &bob.id).await.expect("a role can be taken");
        assert_eq!(role(&bob.id).await, None);
        assert!(matches!(store.remove_member(&project.id, &ann.id).await, Err(StoreError::Refused(_))));
        assert!(matches!(store.set_member(&project.id, &ann.id, Role::Read).await, Err(StoreError::Refused(_))));
        assert!(matches!(store.set_member(&project.id, "nobody", Role::Read).await, Err(StoreError::Refused(_))));
        store.delete_project(&project.id).await.expect("it is there");
        assert_eq!(role(&ann.id).await, None);
        assert!(Role::Read < Role::Write && Role::Administrator < Role::Owner && Role::from_level(5).is_none());
    });
}

#[test]
fn a_session_holds_until_it_ends() {
    each(async |world: World| {
        let (store, ann, bob) =
            (&world.store, world.user("ann@example.com").await, world.user("bob@example.com").await);
        let (begun, text) = store.begin_session(&ann, 60).await.expect("it can begin");
        assert!(text.len() == 64 && begun.id.len() == 29);
        assert_eq!(store.session(&text).await.expect("it can be asked"), Some(begun.clone()));
        assert_eq!(begun.user, ann);
        let flipped = text.replace(['0', '1', '2', '3'], "4");
        for wrong in [flipped.as_str(), "", &text[..63], "' OR 1 = 1 --"] {
            assert_eq!(store.session(wrong).await.expect("it can be asked"), None);
        }
        let (_, over) = store.begin_session(&ann, 0).await.expect("it can begin");
        assert_eq!(store.session(&over).await.expect("it can be asked"), None);
        let (_, other) = store.begin_session(&ann, 60).await.expect("it can begin");
        let (_, bobs) = store.begin_session(&bob, 60).await.expect("it can begin");
        store.end_session(&begun.id).await.expect("it ends");
        assert_eq!(store.session(&text).await.expect("it can be asked"), None);
        assert!(store.session(&other).await.expect("it can be asked").is_some());
        // What had expired is no record any more.
        assert_eq!(store.end_sessions_of(&ann.id).await.expect("they end"), 1);
        assert_eq!(store.session(&other).await.expect("it can be asked"), None);
        assert!(store.session(&bobs).await.expect("it can be asked").is_some());
    });
}

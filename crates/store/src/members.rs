//! Members: who may do what in a project. In: a project, a user, a role. Out: the role. What a role allows is not
//! decided here.

use sqlx::Row;

use crate::error::StoreError;
use crate::users::{User, user};
use crate::{Store, now_us};

/// What a member may do; each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Read = 1,
    /// Make and change.
    Write = 2,
    /// Delete, and say who may do what.
    Administrator = 3,
    /// Everything.
    Owner = 4,
}

impl Role {
    /// The role as a word.
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Write => "write",
            Role::Administrator => "administrator",
            Role::Owner => "owner",
        }
    }

    /// The role as a number, 1 to 4.
    pub fn level(self) -> i64 {
        self as i64
    }

    /// The role of this number.
    pub fn from_level(level: i64) -> Option<Role> {
        [Role::Read, Role::Write, Role::Administrator, Role::Owner].into_iter().find(|role| role.level() == level)
    }
}

impl Store {
    /// Gives a user, by id, a role in a project, by id; another role is replaced. Refuses to lower the project's owner.
    pub async fn set_member(&self, project: &str, user: &str, role: Role) -> Result<(), StoreError> {
        if role != Role::Owner {
            self.not_the_owner(project, user).await?;
        }
        sqlx::query(
            "INSERT INTO members (project, user_id, role) VALUES ($1, $2, $3)
             ON CONFLICT (project, user_id) DO UPDATE SET role = excluded.role",
        )
        .bind(project)
        .bind(user)
        .bind(role.level())
        .execute(self.db.write())
        .await?;
        self.forget_role(project, user);
        Ok(())
    }

    /// Takes a user's role in a project; one who has none is as good. Refuses to do so to the project's owner.
    pub async fn remove_member(&self, project: &str, user: &str) -> Result<(), StoreError> {
        self.not_the_owner(project, user).await?;
        sqlx::query("DELETE FROM members WHERE project = $1 AND user_id = $2")
            .bind(project)
            .bind(user)
            .execute(self.db.write())
            .await?;
        self.forget_role(project, user);
        Ok(())
    }

    /// The members of a project, by id, and their roles, the highest first.
    pub async fn members(&self, project: &str) -> Result<Vec<(User, Role)>, StoreError> {
        let rows = sqlx::query(
            "SELECT users.*, members.role AS role FROM members JOIN users ON users.id = members.user_id
             WHERE members.project = $1 ORDER BY members.role DESC, users.email_key",
        )
        .bind(project)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().filter_map(|row| Some((user(row), Role::from_level(row.get("role"))?))).collect())
    }

    /// The role of a user, by id, in a project, by id. What this store changed shows at once, what another process
    /// changed within five seconds.
    pub async fn role(&self, project: &str, user: &str) -> Result<Option<Role>, StoreError> {
        let (place, now) = ((project.to_string(), user.to_string()), now_us());
        let (known, moment) = self.known_roles.find(&place, now);
        if let Some(role) = known {
            return Ok(role);
        }
        let level: Option<i64> = sqlx::query_scalar("SELECT role FROM members WHERE project = $1 AND user_id = $2")
            .bind(project)
            .bind(user)
            .fetch_optional(self.db.read())
            .await?;
        let role = level.and_then(Role::from_level);
        self.known_roles.keep(place, role, now, moment);
        Ok(role)
    }

    fn forget_role(&self, project: &str, user: &str) {
        self.known_roles.forget(|(of, who), _| of == project && who == user);
    }

    async fn not_the_owner(&self, project: &str, user: &str) -> Result<(), StoreError> {
        if self.project(project).await?.owner.as_deref() == Some(user) {
            return Err(StoreError::Refused(format!("user `{user}` owns the project and stays its owner")));
        }
        Ok(())
    }
}

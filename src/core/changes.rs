//! Changes in a write transaction that first checks again whether the caller may still make it.

use crate::core::Core;
use crate::core::access::{Administrator, WriteGrant};
use crate::core::model::time::Millis;
use crate::core::store::{AssetCommands, ReserveUse, Tx};
use crate::error::Result;

impl Core {
    /// Runs `work` in a write transaction, after checking again that the key may still change the library.
    pub(in crate::core) async fn change<T, F>(&self, grant: &WriteGrant, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        self.change_as(ReserveUse::Never, grant, work).await
    }

    /// [`Core::change`] that goes on when the disk is full: for what frees space.
    pub(in crate::core) async fn change_always<T, F>(&self, grant: &WriteGrant, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        self.change_as(ReserveUse::Allowed, grant, work).await
    }

    pub(in crate::core) async fn change_as<T, F>(
        &self,
        reserve_use: ReserveUse,
        grant: &WriteGrant,
        mut work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        let (grant, now) = (grant.clone(), self.now());
        self.store()
            .write_as(reserve_use, move |tx| {
                grant.confirm(tx, now)?;
                tx.expect_library(&grant)?;
                work(tx, &grant, now)
            })
            .await
    }

    /// Runs `work` in a write transaction, after checking again that the administrator still is one.
    pub(in crate::core) async fn administrate<T, F>(&self, by: Administrator, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        self.administrate_as(ReserveUse::Never, by, work).await
    }

    /// [`Core::administrate`] that goes on when the disk is full: for what frees space, revokes, or lets someone in.
    pub(in crate::core) async fn administrate_always<T, F>(&self, by: Administrator, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        self.administrate_as(ReserveUse::Allowed, by, work).await
    }

    async fn administrate_as<T, F>(
        &self,
        reserve_use: ReserveUse,
        by: Administrator,
        mut work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        let now = self.now();
        self.store()
            .write_as(reserve_use, move |tx| {
                by.confirm(tx, now)?;
                work(tx, &by, now)
            })
            .await
    }
}

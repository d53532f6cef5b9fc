//! Sessions: create.

use std::collections::{BTreeMap, BTreeSet};

use colloquy_sessions::session::Session;
use colloquy_sessions::state::{Scope, State, Value};
use colloquy_sessions::store::{NewSession, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::SessionName;
use tokio_postgres::Row;

use super::operations::{self, Home};
use super::requests::{self, Requests};
use super::sizes::{Sizes, Totals};
use super::state;
use crate::engine_keys::EngineKeys;
use crate::error::Attempt;
use crate::key;
use crate::pipeline::{Exchange, Pipeline, Step, Steps};
use crate::read;
use crate::row;
use crate::session_keys::{Owners, SessionKeys};

/// See `Store::create_session`.
pub(crate) struct Create<'a> {
    pub(crate) new: &'a NewSession,
    pub(crate) engines: &'a EngineKeys,
    pub(crate) sessions: &'a SessionKeys,
}

/// Keys of a state, without prefix.
type Keys = BTreeMap<String, Value>;

/// What a new session must know.
struct Ground<'a> {
    /// The session that has the name and is not deleted: its key and its end.
    namesake: Option<(i64, i64)>,
    requests: Requests<'a>,
    user_key: i64,
    totals: Totals,
    app: Keys,
    user: Keys,
}

impl Exchange for Create<'_> {
    type Output = Session;

    async fn run(&self, pipeline: &mut Pipeline) -> Attempt<Session> {
        let new = self.new;
        let request = new.request.as_ref();
        let (engine_key, ground) = loop {
            let (engine_key, is_remembered) = self.engine(pipeline).await?;
            match self.ground(pipeline, engine_key).await? {
                Some(ground) => {
                    ground.requests.check(engine_key, requests::OF_ENGINE, request)?;
                    let Some((session_key, expire_time)) = ground.namesake else {
                        break (engine_key, ground);
                    };
                    if new.create_time.0 < expire_time {
                        return Err(StoreError::AlreadyExists.into());
                    }
                    // Its clock comes before what is locked by now, so it goes in a transaction of its own.
                    pipeline.roll_back().await?;
                    end_expired(pipeline, engine_key, session_key, new.create_time).await?;
                }
                // Gone, and its name perhaps given again.
                None if is_remembered => {
                    self.engines.forget(&new.name.engine);
                    pipeline.roll_back().await?;
                }
                None => return Err(StoreError::EngineNotFound.into()),
            }
        };
        let Ground { mut requests, user_key, totals, app, user, .. } = ground;
        let owners = Owners { engine_key, user_key, session_key: key::draw()? };
        let mut sizes = Sizes::default();
        for (scope, keys) in [(Scope::App, &app), (Scope::User, &user)] {
            for (key, _) in new.state.of(scope) {
                if let Some(value) = keys.get(key) {
                    sizes.know(owners, scope, key, value.len());
                }
            }
        }
        let after = sizes.grow(owners, totals, &new.state, new.state_limit)?;
        requests.take(engine_key, requests::OF_ENGINE, request);

        let mut steps = Steps::default();
        let labels = row::labels_column(&new.labels)?;
        // If another one has made the name meanwhile, its index says so, and the next try finds it.
        steps.add(insert(owners, new, labels));
        steps.add(insert_clock(owners, new, after.session));
        state::put(&mut steps, [(owners, &new.state)]);
        if after.app != totals.app {
            steps.add_if(state::set_app_bytes(&[(engine_key, after.app)]));
        }
        if after.user != totals.user {
            steps.add_if(state::set_user_bytes(&[(engine_key, user_key, after.user)]));
        }
        let home = Home::Session(engine_key, owners.session_key, &new.name.engine);
        steps.add(operations::step(&new.operation, &home, true)?);
        requests.write(&mut steps);
        pipeline.commit(steps).await?;
        self.sessions.put(&new.name, owners);
        Ok(session(new, app, user))
    }
}

impl<'a> Create<'a> {
    /// The key of the engine, and whether it was known from before.
    async fn engine(&self, pipeline: &mut Pipeline) -> Attempt<(i64, bool)> {
        let name = &self.new.name.engine;
        if let Some(engine_key) = self.engines.get(name) {
            return Ok((engine_key, true));
        }
        let mut steps = Steps::default();
        let found = steps.add(read::engines::find_step(name));
        let answers = pipeline.ask(steps).await?;
        let row = answers.of(found).first().ok_or(StoreError::EngineNotFound)?;
        let engine_key = row.try_get(0)?;
        self.engines.put(name, engine_key);
        Ok((engine_key, false))
    }

    /// Opens the transaction: keeps the engine, locks what is to be changed, and reads the rest; none where the engine
    /// is not live.
    async fn ground(&self, pipeline: &mut Pipeline, engine_key: i64) -> Attempt<Option<Ground<'a>>> {
        let new = self.new;
        let mut steps = Steps::default();
        let engine = steps.add(Step::new(sql!("engines/share_key")).with(engine_key));
        let id = new.name.session.as_bytes();
        let namesake = steps.add(Step::new(sql!("sessions/find")).with(engine_key).with(id));
        // After the namesake: where that was made by the same request, the request is found too.
        let asked = [(engine_key, requests::OF_ENGINE, new.request.as_ref())];
        let requests = requests::Asked::add(&mut steps, asked);
        if !new.state.app.is_empty() {
            steps.add_if(state::lock_apps(&BTreeSet::from([engine_key])));
        }
        let user_id = new.user_id.as_bytes();
        let user = Step::new(sql!("sessions/take_user")).with(engine_key).with(key::draw()?).with(user_id);
        let user = steps.add(user);
        let app_bytes = steps.add(Step::new(sql!("state/app_bytes")).with(engine_key));
        let app_keys = steps.add(Step::new(sql!("state/app_read")).with(engine_key));
        let user_keys = steps.add(Step::new(sql!("state/user_read_of")).with(engine_key).with(user_id));

        let answers = pipeline.begin(steps).await?;
        if answers.of(engine).is_empty() {
            return Ok(None);
        }
        let user = answers.of(user).first();
        let user = user.ok_or_else(|| StoreError::Internal("a user was not made".to_owned()))?;
        let (user_key, user_bytes) = (user.try_get(0)?, user.try_get(1)?);
        let app_bytes = answers.of(app_bytes).first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        let namesake = answers.of(namesake).first();
        Ok(Some(Ground {
            namesake: namesake
                .map(|row| Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?)))
                .transpose()?,
            requests: requests.read(&answers)?,
            user_key,
            totals: Totals { app: app_bytes, user: user_bytes, session: 0 },
            app: keys(answers.of(app_keys))?,
            user: keys(answers.of(user_keys))?,
        }))
    }
}

fn keys(rows: &[Row]) -> Attempt<Keys> {
    rows.iter().map(|row| Ok((row::text(row, 0)?, row::bytes(row, 1)?))).collect()
}

fn insert<'a>(owners: Owners, new: &'a NewSession, labels: String) -> Step<'a> {
    Step::new(sql!("sessions/insert"))
        .with(owners.engine_key)
        .with(owners.session_key)
        .with(owners.user_key)
        .with(new.name.session.as_bytes())
        .with(new.display_name.as_bytes())
        .with(labels)
        .with(new.create_time.0)
        .with(new.expire_time.0)
}

fn insert_clock(owners: Owners, new: &NewSession, state_bytes: i64) -> Step<'_> {
    Step::new(sql!("sessions/insert_clock"))
        .with(owners.engine_key)
        .with(owners.session_key)
        .with(owners.user_key)
        .with(new.name.session.as_bytes())
        .with(new.create_time.0)
        .with(state_bytes)
}

/// Deletes a session whose end has come, unless that was moved meanwhile.
async fn end_expired(
    pipeline: &mut Pipeline,
    engine_key: i64,
    session_key: i64,
    now: Timestamp,
) -> Attempt<()> {
    let mut steps = Steps::default();
    let step = |sql| Step::new(sql).with(engine_key).with(session_key);
    let clock = steps.add(step(sql!("sessions/lock")));
    let end = steps.add(step(sql!("sessions/expire_time")));
    let answers = pipeline.begin(steps).await?;
    let end: Option<i64> = answers.of(end).first().map(|row| row.try_get(0)).transpose()?;
    if answers.of(clock).is_empty() || end.is_none_or(|end| now.0 < end) {
        // Somebody else has just deleted it, or moved its end.
        return pipeline.roll_back().await;
    }
    let mut steps = Steps::default();
    steps.add(step(sql!("sessions/mark_deleted")));
    steps.add(step(sql!("sessions/delete_clock")));
    pipeline.commit(steps).await
}

/// The session as it was made, on what others had made of the states that it shares.
fn session(new: &NewSession, mut app: Keys, mut user: Keys) -> Session {
    app.extend(new.state.app.iter().cloned());
    user.extend(new.state.user.iter().cloned());
    let list = |keys: Keys| keys.into_iter().collect::<Vec<_>>();
    Session {
        name: SessionName::clone(&new.name),
        user_id: new.user_id.clone(),
        display_name: new.display_name.clone(),
        labels: new.labels.clone(),
        create_time: new.create_time,
        update_time: new.create_time,
        expire_time: new.expire_time,
        state: State::merged(list(app), list(user), new.state.session.clone()),
    }
}

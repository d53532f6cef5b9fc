//! Connecting to a database that has several hosts: each in turn, and none for so long that the next is not asked.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::{Client, Config, Error};

/// Connects by `inner`, to the host that last took a connection first. The driver by itself waits for a host that
/// accepts and says nothing, such as a primary that hangs, for as long as its caller does.
pub(crate) struct HostsInTurn<C> {
    inner: C,
    /// What to connect to, one host each; empty where there is nothing to choose.
    hosts: Vec<Config>,
    /// How long one may take, unless it is the last.
    share: Duration,
    latest: AtomicUsize,
}

impl<C> HostsInTurn<C> {
    /// The hosts of `config`, which share the time of `wait`.
    pub(crate) fn new(inner: C, config: &Config, wait: Duration) -> Self {
        let hosts = hosts(config);
        let share = wait / u32::try_from(hosts.len()).unwrap_or(u32::MAX).max(1);
        Self { inner, hosts, share, latest: AtomicUsize::new(0) }
    }
}

impl<C: Connect> Connect for HostsInTurn<C> {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let first = self.latest.load(Ordering::Relaxed);
            let count = self.hosts.len();
            let mut said = None;
            // All but the last in turn, which gets the rest of the time.
            for turn in 1..count {
                let index = (first + turn - 1) % count;
                let Some(host) = self.hosts.get(index) else { continue };
                match tokio::time::timeout(self.share, self.inner.connect(host)).await {
                    Ok(Ok(connected)) => {
                        self.latest.store(index, Ordering::Relaxed);
                        return Ok(connected);
                    }
                    // What a database says tells more than what became of a connection.
                    Ok(Err(error)) => said = said.or_else(|| error.code().is_some().then_some(error)),
                    Err(_) => {}
                }
            }
            let index = (first + count.saturating_sub(1)) % count.max(1);
            let connected = self.inner.connect(self.hosts.get(index).unwrap_or(&config)).await;
            if connected.is_ok() {
                self.latest.store(index, Ordering::Relaxed);
            }
            connected.map_err(|error| if error.code().is_some() { error } else { said.unwrap_or(error) })
        })
    }
}

/// The same for each host alone. Where chance is to choose, or there are not as many ports as hosts, the driver does.
fn hosts(config: &Config) -> Vec<Config> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    let is_clear = [names.len(), addresses.len()].into_iter().all(|given| given == 0 || given == count)
        && (ports.len() <= 1 || ports.len() == count);
    if count < 2 || !is_clear || config.get_load_balance_hosts() != LoadBalanceHosts::Disable {
        return Vec::new();
    }
    let only = |index: usize| {
        let mut only = without_hosts(config);
        match names.get(index) {
            Some(Host::Tcp(name)) => drop(only.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(path)) => drop(only.host_path(path)),
            None => {}
        }
        if let Some(address) = addresses.get(index) {
            only.hostaddr(*address);
        }
        if let Some(port) = ports.get(index).or_else(|| ports.first()) {
            only.port(*port);
        }
        only
    };
    (0..count).map(only).collect()
}

/// All but whom to connect to.
fn without_hosts(config: &Config) -> Config {
    let mut copy = Config::new();
    if let Some(user) = config.get_user() {
        copy.user(user);
    }
    if let Some(password) = config.get_password() {
        copy.password(password);
    }
    if let Some(dbname) = config.get_dbname() {
        copy.dbname(dbname);
    }
    if let Some(options) = config.get_options() {
        copy.options(options);
    }
    if let Some(application_name) = config.get_application_name() {
        copy.application_name(application_name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        copy.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        copy.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        copy.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        copy.keepalives_retries(retries);
    }
    copy.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of a configuration but its hosts and ports: the driver shows every field.
    fn shown(config: &Config) -> String {
        let shown = format!("{config:?}");
        let (start, rest) = shown.split_once("host: [").unwrap();
        let (_, rest) = rest.split_once("], port: [").unwrap();
        let (_, end) = rest.split_once(']').unwrap();
        assert!(!start.contains("host: ") && !end.contains(", port: "));
        format!("{start}{end}")
    }

    #[test]
    fn each_host_is_asked_with_all_that_the_url_says() {
        let url = "postgres://u:p@a:1,b:2/d?target_session_attrs=read-write&application_name=n&options=-c%20x%3D1\
                   &connect_timeout=3&keepalives=1&keepalives_idle=4&keepalives_interval=5&keepalives_retries=6\
                   &tcp_user_timeout=7&channel_binding=require&sslmode=require";
        let config: Config = url.parse().unwrap();
        let hosts = hosts(&config);
        assert_eq!(hosts.len(), 2);
        for (host, (name, port)) in hosts.iter().zip([("a", 1), ("b", 2)]) {
            assert_eq!(host.get_hosts(), [Host::Tcp(name.to_owned())]);
            assert_eq!(host.get_ports(), [port]);
            assert_eq!(shown(host), shown(&config));
        }
    }

    #[test]
    fn the_driver_chooses_where_there_is_nothing_to_take_in_turn() {
        let count = |url: &str| hosts(&url.parse().unwrap()).len();
        assert_eq!(count("postgres://u@a/d"), 0);
        assert_eq!(count("postgres://u@a,b/d?load_balance_hosts=random"), 0);
        assert_eq!(count("postgres://u@a,b/d"), 2);
    }
}

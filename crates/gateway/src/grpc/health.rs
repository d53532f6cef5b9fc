//! `grpc.health.v1.Health`: for the server as a whole, and for each service of the contract.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use colloquy_contract::HTTP_RULES;
use colloquy_sessions::Service;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as Protocol, HealthServer};
use tonic_health::server::HealthReporter;

/// How often the store is asked.
const PERIOD: Duration = Duration::from_secs(1);

/// What is reported, and where it comes from.
pub(super) struct Health {
    reporter: HealthReporter,
    service: Arc<Service>,
    /// The services of the contract, and the empty name: the server as a whole.
    names: BTreeSet<&'static str>,
}

impl Health {
    /// With the service that answers.
    pub(super) fn new(service: Arc<Service>) -> (Self, HealthServer<impl Protocol>) {
        let (reporter, server) = tonic_health::server::health_reporter();
        let mut names: BTreeSet<_> =
            HTTP_RULES.iter().filter_map(|rule| Some(rule.rpc.rsplit_once('.')?.0)).collect();
        names.insert("");
        (Self { reporter, service, names }, server)
    }

    /// Reports whether the store can serve, again and again.
    pub(super) async fn watch(&self) {
        // It was opened a moment ago, and no service is unknown until it has answered.
        let mut reported = ServingStatus::Serving;
        self.report(reported).await;
        loop {
            let status = match self.service.health().await {
                Ok(()) => ServingStatus::Serving,
                Err(_) => ServingStatus::NotServing,
            };
            // Whoever watches is told of changes only.
            if status != reported {
                self.report(status).await;
                reported = status;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Reports that the server stops, and ends the watches, which would hold it up.
    pub(super) async fn stopping(&self) {
        self.report(ServingStatus::NotServing).await;
        for name in &self.names {
            self.reporter.clone().clear_service_status(name).await;
        }
    }

    async fn report(&self, status: ServingStatus) {
        for name in &self.names {
            self.reporter.set_service_status(*name, status).await;
        }
    }
}
